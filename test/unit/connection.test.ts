import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  type Connection,
  type ConnectionOptions,
  CopyError,
  type Notice,
  openConnection,
  pipeCopy,
  withConnection,
  withTransaction,
} from '../../src/db/connection.js';
import { type ConnectionSettings, parseConnection, toForeignServerOptions } from '../../src/db/connection-settings.js';
import { DatabaseError } from '../../src/db/postgres-error.js';
import { LizsyncError } from '../../src/errors.js';
import { createDatabase, createRole, type TestDatabase, uniqueName, withMaintenance } from '../support/database.js';
import { getTestServer } from '../support/server.js';

let directory: string;
let database: TestDatabase;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'lizsync-connection-'));
  database = await createDatabase(getTestServer());
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function parse(connection: string): ConnectionSettings {
  return parseConnection(connection, { variables: {}, homeDirectory: directory, userName: 'nobody' });
}

/** Settings of the test's database, with some of them replaced. */
function settingsFor(changes: Partial<ConnectionSettings> = {}, from: TestDatabase = database): ConnectionSettings {
  return { ...parse(from.url), ...changes };
}

/** A connection that ends with the test. */
async function open(settings: ConnectionSettings, options?: ConnectionOptions): Promise<Connection> {
  const connection = await openConnection(settings, options);
  onTestFinished(() => connection.close());
  return connection;
}

async function getError(work: Promise<unknown>): Promise<DatabaseError> {
  const error = await work.then(
    () => new Error('no error'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(LizsyncError);
  return error;
}

/** A TCP server on a free port that does what it is told with each connection, or nothing. */
async function listen(onConnection: (socket: Socket) => void = () => {}): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(close);
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, close };
}

/** A network between a client and the test server that can fall silent: everything stays connected, nothing moves. */
async function createNetwork(): Promise<{ settings: ConnectionSettings; fallSilent(): void }> {
  const [host] = settingsFor().hosts;
  if (host === undefined) throw new Error('no host');
  let silent = false;
  const pairs: [Socket, Socket][] = [];
  const { Socket: TcpSocket } = await import('node:net');
  const { port } = await listen((client) => {
    if (silent) return;
    const server = new TcpSocket();
    server.on('error', () => client.destroy());
    server.connect(host.port, host.host);
    client.pipe(server).pipe(client);
    client.on('close', () => server.destroy());
    pairs.push([client, server]);
  });
  return {
    settings: settingsFor({ hosts: [{ host: '127.0.0.1', address: undefined, port }] }),
    fallSilent: () => {
      silent = true;
      for (const [client, server] of pairs) {
        client.unpipe();
        server.unpipe();
        client.pause();
        server.pause();
      }
    },
  };
}

describe('a connection', () => {
  it('runs queries with values, and several statements in one round trip', async () => {
    const connection = await open(settingsFor());
    const rows = await connection.query<{ sum: number; text: string }>('select $1::integer + 1 as sum, $2 as text', [
      41,
      "it's",
    ]);
    expect(rows).toEqual([{ sum: 42, text: "it's" }]);
    const batch = await connection.queryBatch('select 1 as a; create temporary table t (a integer); select 2 as a');
    expect(batch).toEqual([[{ a: 1 }], [], [{ a: 2 }]]);
    expect(await connection.queryBatch('select 3 as a')).toEqual([[{ a: 3 }]]);
    expect(await connection.execute('insert into t select pg_catalog.generate_series(1, 5)')).toBe(5);
    expect(connection.roundTrips).toBe(4);
    expect(connection.serverVersion).toBe(Math.floor(getTestServer().version / 10_000));
  });

  it('says who it is, and takes options from its settings only', async () => {
    process.env.PGOPTIONS = '-c geqo=off';
    process.env.PGAPPNAME = 'wrong';
    process.env.PGPASSWORD = 'wrong';
    onTestFinished(() => {
      for (const name of ['PGOPTIONS', 'PGAPPNAME', 'PGPASSWORD']) delete process.env[name];
    });
    const sql = `select pg_catalog.current_setting('application_name') as name, pg_catalog.current_setting('geqo') as geqo,
      pg_catalog.current_setting('jit') as jit`;
    const plain = await open(settingsFor());
    expect(await plain.query(sql)).toMatchObject([{ name: 'lizsync', geqo: 'on' }]);
    const other = await open(settingsFor({ applicationName: 'mine', options: '-c jit=off' }));
    expect(await other.query(sql)).toMatchObject([{ name: 'mine', geqo: 'on', jit: 'off' }]);
  });

  it('hands on what the server remarks', async () => {
    const notices: Notice[] = [];
    const connection = await open(settingsFor(), { onNotice: (notice) => notices.push(notice) });
    await connection.query("do $$ begin raise warning 'careful' using hint = 'look'; end $$");
    expect(notices).toMatchObject([{ severity: 'WARNING', message: 'careful', hint: 'look', sqlstate: '01000' }]);
  });

  it('connects to an address without looking the host name up', async () => {
    const [host] = settingsFor().hosts;
    const connection = await open(
      settingsFor({ hosts: [{ host: 'name.invalid', address: host?.host, port: host?.port ?? 0 }] }),
    );
    expect(connection.description).toContain('name.invalid');
    expect(await connection.query('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it('is broken for good when the server ends it', async () => {
    const connection = await open(settingsFor(), { role: 'central' });
    const [row] = await connection.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
    const waiting = getError(connection.query('select pg_catalog.pg_sleep(60)'));
    await database.query(`select pg_catalog.pg_terminate_backend($1) from pg_catalog.pg_sleep(0)`, [row?.pid]);
    const error = await waiting;
    expect(error).toMatchObject({ sqlstate: '57P01', isConnectionFailure: true });
    expect(connection.isBroken).toBe(true);
    expect(await getError(connection.query('select 1'))).toBe(error);
    expect(() => connection.copyOut('copy (select 1) to stdout')).toThrow(error);
    await connection.rollback();
    await connection.close();
  });

  it('ends what it is doing when it is aborted', async () => {
    const controller = new AbortController();
    const connection = await open(settingsFor(), { signal: controller.signal });
    const waiting = getError(connection.query('select pg_catalog.pg_sleep(60)'));
    const reason = new LizsyncError('interrupted');
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await getError(openConnection(settingsFor(), { signal: controller.signal }))).toBe(reason);

    const second = new AbortController();
    const { port } = await listen(() => second.abort(reason));
    const silent = settingsFor({ hosts: [{ host: '127.0.0.1', address: undefined, port }] });
    expect(await getError(openConnection(silent, { signal: second.signal }))).toBe(reason);
  });

  it('is closed behind the work, whether that fails or not', async () => {
    let seen: Connection | undefined;
    const result = await withConnection(settingsFor(), async (connection) => {
      seen = connection;
      return 'done';
    });
    expect(result).toBe('done');
    expect((await getError(seen?.query('select 1') ?? Promise.resolve())).message).toContain('is closed');
    const failing = withConnection(settingsFor(), async (connection) => {
      seen = connection;
      throw new LizsyncError('wrong');
    });
    expect((await getError(failing)).message).toBe('wrong');
    expect((await getError(seen?.query('select 1') ?? Promise.resolve())).message).toContain('is closed');
  });
});

describe('a connection that cannot be made', () => {
  it.each([
    ['no server there', { hosts: [{ host: '127.0.0.1', address: undefined, port: 1 }] }, /connection refused/],
    ['an unknown host', { hosts: [{ host: 'name.invalid', address: undefined, port: 5432 }] }, /host name/],
    ['no socket there', { hosts: [{ host: '/nowhere', address: undefined, port: 5432 }] }, /no such socket/],
    ['a wrong password', { password: 'wrong' }, /password authentication failed/],
    ['no such database', { database: 'nowhere' }, /database "nowhere" does not exist/],
  ] as [string, Partial<ConnectionSettings>, RegExp][])('fails with a remedy: %s', async (_, changes, message) => {
    const error = await getError(openConnection(settingsFor(changes), { role: 'central' }));
    expect(error.message).toMatch(/^could not connect to central \(.* as postgres\): /);
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
    expect(error.exitCode).toBe(1);
    expect(JSON.stringify([error, error.message, error.details])).not.toContain('wrong');
  });

  it('because the server says nothing fails after connect_timeout', async () => {
    const { port } = await listen();
    const begin = Date.now();
    const settings = settingsFor({
      hosts: [{ host: '127.0.0.1', address: undefined, port }],
      connectTimeoutSeconds: 1,
    });
    for (const sslmode of ['disable', 'prefer', 'require'] as const) {
      const error = await getError(openConnection({ ...settings, sslmode }));
      expect(error.message).toContain('no answer from the server in time');
      expect(error.isConnectionFailure).toBe(true);
    }
    expect(Date.now() - begin).toBeLessThan(10_000);
  });

  it('because it is no PostgreSQL server fails', async () => {
    const { port } = await listen((socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    for (const sslmode of ['disable', 'prefer', 'require'] as const) {
      const settings = settingsFor({
        hosts: [{ host: '127.0.0.1', address: undefined, port }],
        sslmode,
        connectTimeoutSeconds: 2,
      });
      expect((await getError(openConnection(settings))).message).toMatch(/^could not connect to /);
    }
  });

  it('because the role may not connect or has no right fails with the SQLSTATE', async () => {
    const role = await createRole(getTestServer());
    const connection = await open(parse(role.urlFor(database)));
    await database.query('create table public.closed (a integer)');
    const error = await getError(connection.query('select * from public.closed'));
    expect(error).toMatchObject({ sqlstate: '42501', isConnectionFailure: false, isRetryable: false });
    expect(error.hint).toContain('right that is missing');
    expect(connection.isBroken).toBe(false);
  });
});

describe('several hosts', () => {
  it('are tried in order until one accepts', async () => {
    const [host] = settingsFor().hosts;
    const hosts = [
      { host: 'name.invalid', address: undefined, port: 5432 },
      { host: '127.0.0.1', address: undefined, port: 1 },
      { host: host?.host ?? '', address: undefined, port: host?.port ?? 0 },
    ];
    const connection = await open(settingsFor({ hosts }));
    expect(connection.description).toContain(`:${host?.port} as`);
    const error = await getError(openConnection(settingsFor({ hosts: hosts.slice(0, 2) })));
    expect(error.details).toHaveLength(2);
    expect(error.details[0]).toContain('name.invalid:5432: ');
    expect(error.details[1]).toContain('127.0.0.1:1: ');
  });

  it('are not all told a password that one has refused', async () => {
    const [host] = settingsFor().hosts;
    if (host === undefined) throw new Error('no host');
    let asked = false;
    const { port } = await listen(() => {
      asked = true;
    });
    const hosts = [host, { host: '127.0.0.1', address: undefined, port }];
    const error = await getError(openConnection(settingsFor({ hosts, password: 'wrong' })));
    expect(error.sqlstate).toBe('28P01');
    expect(asked).toBe(false);
  });

  it('must have the wanted session attributes', async () => {
    const standby = await createDatabase(getTestServer());
    await standby.query(`alter database ${standby.name} set default_transaction_read_only = on`);
    const settings = settingsFor({ targetSessionAttrs: 'read-write' }, standby);
    const error = await getError(openConnection(settings));
    expect(error.message).toContain('target_session_attrs=read-write');
    await open({ ...settings, targetSessionAttrs: 'read-only' });
    await open({ ...settings, targetSessionAttrs: 'primary' });
    await open({ ...settings, targetSessionAttrs: 'prefer-standby' });
    expect((await getError(openConnection({ ...settings, targetSessionAttrs: 'standby' }))).message).toContain(
      'standby',
    );
  });
});

describe('a password file', () => {
  const passwordOf = (url: string): string => new URL(url).password;

  it('is asked when no password is given, line by line, with \\: and * in it', async () => {
    const [host] = settingsFor().hosts;
    const role = await createRole(getTestServer());
    await withMaintenance(getTestServer(), (client) => client.query(`alter role ${role.name} password 'a:b\\c#d'`));
    const file = path.join(directory, 'pass1');
    writeFileSync(
      file,
      [
        '# comment',
        `${host?.host}:1:*:${role.name}:wrong port`,
        `*:*:*:other:wrong user`,
        `${host?.host}:${host?.port}:*:${role.name}:a\\:b\\\\c#d`,
        '*:*:*:*:too late',
      ].join('\n'),
      { mode: 0o600 },
    );
    const settings = { ...parse(role.urlFor(database)), password: undefined, passwordFile: file };
    const connection = await open(settings);
    expect(await connection.query('select current_user as name')).toEqual([{ name: role.name }]);
  });

  it('that others can read is passed over with a warning', async () => {
    const file = path.join(directory, 'pass2');
    writeFileSync(file, `*:*:*:*:${passwordOf(database.url)}\n`);
    chmodSync(file, 0o640);
    const notices: Notice[] = [];
    const settings = settingsFor({ password: undefined, passwordFile: file });
    const error = await getError(openConnection(settings, { onNotice: (notice) => notices.push(notice) }));
    expect(error.message).toContain('asks for a password, and there is none');
    expect(error.hint).toContain(file);
    expect(notices.map(({ severity, message }) => `${severity} ${message}`)).toEqual([
      expect.stringMatching(/^WARNING the password file .*pass2" can be read by others/),
    ]);
    chmodSync(file, 0o600);
    await open(settings);
  });

  it('that is not there leaves no password, which the error says', async () => {
    const settings = settingsFor({ password: undefined, passwordFile: path.join(directory, 'missing') });
    const error = await getError(openConnection(settings));
    expect(error.message).toMatch(/^could not connect to .* asks for a password, and there is none$/);
  });
});

describe('errors of the server', () => {
  const raise = (options: string): string => `do $$ begin raise exception using ${options}; end $$`;

  it.each([
    ['LZ001', 1],
    ['LZ002', 2],
    ['LZ004', 4],
  ])('of lizsync itself keep message, detail and hint: %s', async (sqlstate, exitCode) => {
    const connection = await open(settingsFor());
    const error = await getError(
      connection.query(raise(`errcode = '${sqlstate}', message = 'no', detail = 'because', hint = 'do'`)),
    );
    expect(error).toMatchObject({ message: 'no', details: ['because'], hint: 'do', exitCode, sqlstate });
  });

  it('keep what the server says about the object', async () => {
    const connection = await open(settingsFor());
    await connection.query('create temporary table u (a integer constraint only_once unique)');
    const error = await getError(connection.query('insert into u values (1), (1)'));
    expect(error).toMatchObject({ sqlstate: '23505', table: 'u', constraint: 'only_once', isConnectionFailure: false });
    expect(error.details[0]).toContain('already exists');
    expect((await getError(connection.query('select nothing'))).position).toBe(8);
  });

  it('that another server has passed on do not end the connection', async () => {
    const connection = await open(settingsFor());
    await getError(connection.query(raise(`errcode = '57P01', message = 'elsewhere'`)));
    await getError(connection.query(raise(`errcode = '08006', message = 'elsewhere'`)));
    expect(connection.isBroken).toBe(false);
  });

  it('tell which are worth another try', async () => {
    const connection = await open(settingsFor());
    for (const sqlstate of ['40001', '40P01', '55P03']) {
      expect((await getError(connection.query(raise(`errcode = '${sqlstate}', message = 'x'`)))).isRetryable).toBe(
        true,
      );
    }
  });

  it('never show a password that stands in a statement', async () => {
    const connection = await open(settingsFor());
    const statement = "create role postgres password ''s3cr''''et''";
    const error = await getError(connection.query(`do $$ begin execute '${statement}'; end $$`));
    expect(error.where).toContain('create role');
    expect(JSON.stringify([error.message, error.hint, error.details, error.where])).not.toMatch(/s3cr|et''/);
  });

  it('about a value that cannot be sent leave the connection usable', async () => {
    const connection = await open(settingsFor());
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    await getError(connection.query('select $1::json', [circular]));
    expect(await connection.query('select 1 as a')).toEqual([{ a: 1 }]);
  });
});

describe('a transaction', () => {
  it('pins every setting that changes what values look like, whatever the role has set', async () => {
    const role = await createRole(getTestServer());
    const hostile = {
      search_path: 'public',
      datestyle: 'SQL, DMY',
      intervalstyle: 'sql_standard',
      timezone: 'Asia/Kathmandu',
      extra_float_digits: '0',
      bytea_output: 'escape',
      array_nulls: 'off',
      xmloption: 'document',
      transform_null_equals: 'on',
      row_security: 'on',
      statement_timeout: '1h',
      lock_timeout: '1h',
      idle_in_transaction_session_timeout: '1h',
      default_transaction_isolation: 'serializable',
      default_transaction_read_only: 'on',
    };
    await withMaintenance(getTestServer(), async (client) => {
      for (const [name, value] of Object.entries(hostile)) {
        await client.query(
          `alter role ${role.name} set ${name} = ${name === 'datestyle' ? "'SQL, DMY'" : `'${value}'`}`,
        );
      }
    });
    const connection = await open(parse(role.urlFor(database)));
    const names = [...Object.keys(hostile), 'transaction_isolation', 'transaction_read_only', 'lc_monetary'];
    const read = async (): Promise<Record<string, string>> => {
      const columns = names.map((name) => `pg_catalog.current_setting('${name}') as ${name}`);
      const [row] = await connection.query<Record<string, string>>(`select ${columns.join(', ')}`);
      return row ?? {};
    };
    const before = await read();
    const within = await withTransaction(connection, {}, read);
    expect(within).toMatchObject({
      search_path: '""',
      datestyle: expect.stringMatching(/^ISO/),
      intervalstyle: 'postgres',
      timezone: 'UTC',
      extra_float_digits: '1',
      bytea_output: 'hex',
      array_nulls: 'on',
      xmloption: 'content',
      transform_null_equals: 'off',
      lc_monetary: 'C',
      row_security: 'off',
      statement_timeout: '0',
      lock_timeout: '1min',
      idle_in_transaction_session_timeout: '0',
      transaction_isolation: 'read committed',
      transaction_read_only: 'off',
    });
    expect(await read()).toEqual(before);
  });

  it('has the isolation, the access and the patience it asks for, in two round trips of its own', async () => {
    const connection = await open(settingsFor());
    const rows = await withTransaction(
      connection,
      { isolation: 'repeatable read', readOnly: true, lockTimeoutSeconds: 1.5 },
      () =>
        connection.query(`select pg_catalog.current_setting('transaction_isolation') as isolation,
          pg_catalog.current_setting('transaction_read_only') as read_only,
          pg_catalog.current_setting('lock_timeout') as patience`),
    );
    expect(rows).toEqual([{ isolation: 'repeatable read', read_only: 'on', patience: '1500ms' }]);
    expect(connection.roundTrips).toBe(3);
  });

  it('commits, or rolls back when the work fails', async () => {
    const connection = await open(settingsFor());
    await connection.query('create table public.numbers (a integer primary key deferrable initially deferred)');
    await withTransaction(connection, {}, () => connection.query('insert into public.numbers values (1)'));
    const failing = withTransaction(connection, {}, async () => {
      await connection.query('insert into public.numbers values (2)');
      throw new LizsyncError('wrong');
    });
    expect((await getError(failing)).message).toBe('wrong');
    const deferred = withTransaction(connection, {}, () => connection.query('insert into public.numbers values (1)'));
    const error = await getError(deferred);
    expect(error.sqlstate).toBe('23505');
    expect(error.message).toMatch(/^could not commit the transaction: /);
    expect(await connection.query('select a from public.numbers')).toEqual([{ a: 1 }]);
    expect(connection.isBroken).toBe(false);
  });

  it('is not committed in silence when the server rolls it back', async () => {
    const connection = await open(settingsFor());
    const swallowing = withTransaction(connection, {}, async () => {
      await connection.query('select 1/0').catch(() => {});
    });
    expect((await getError(swallowing)).message).toContain('was rolled back');
  });

  it('that loses its connection at the commit says that its end is not known', async () => {
    const connection = await open(settingsFor());
    const [row] = await connection.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
    await connection.query(`create function public.die() returns trigger language plpgsql as
      'begin perform pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()); return null; end'`);
    await connection.query('create table public.deadly (a integer)');
    await connection.query(`create constraint trigger die after insert on public.deadly deferrable initially deferred
      for each row execute function public.die()`);
    const error = await getError(
      withTransaction(connection, {}, () => connection.query('insert into public.deadly values (1)')),
    );
    expect(row?.pid).toBeGreaterThan(0);
    expect(error.message).toContain('whether the transaction was committed is not known');
    expect(error.isConnectionFailure).toBe(true);
    expect(connection.isBroken).toBe(true);
  });

  it('gives up waiting for a lock', async () => {
    const connection = await open(settingsFor());
    await connection.query('create table public.locked (a integer)');
    const other = await database.connect();
    await other.query('begin; lock table public.locked');
    const error = await getError(
      withTransaction(connection, { lockTimeoutSeconds: 0.2 }, () => connection.query('select a from public.locked')),
    );
    expect(error).toMatchObject({ sqlstate: '55P03', isRetryable: true });
    await other.query('rollback');
  });
});

describe('COPY', () => {
  it('reads and writes as streams, and counts rows and round trips', async () => {
    const connection = await open(settingsFor());
    await connection.query('create table public.words (a text)');
    const target = connection.copyIn('copy public.words from stdin');
    await pipeline(['one\n', 'two\nth', 'ree\n'], target);
    expect(target.rowCount).toBe(3);
    const source = connection.copyOut('copy (select a from public.words order by a) to stdout');
    expect(await text(source)).toBe('one\nthree\ntwo\n');
    expect(await source.completed).toBe(3);
    expect(connection.roundTrips).toBe(4);
    expect(await connection.query('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it('that is not read to its end breaks the connection, and ends at once', async () => {
    const connection = await open(settingsFor());
    const source = connection.copyOut('copy (select pg_catalog.generate_series(1, 10000000)) to stdout');
    for await (const chunk of source) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await getError(source.completed)).message).toContain('given up');
    expect(connection.isBroken).toBe(true);
  });

  it('that is destroyed while writing is cancelled and leaves the connection usable', async () => {
    const connection = await open(settingsFor());
    await connection.query('create table public.cancelled (a text)');
    const target = connection.copyIn('copy public.cancelled from stdin');
    target.write('one\n');
    target.destroy(new Error('enough'));
    expect(await connection.query('select a from public.cancelled')).toEqual([]);
    const second = connection.copyIn('copy public.cancelled from stdin');
    second.destroy();
    expect(await connection.query('select a from public.cancelled')).toEqual([]);
  });

  it('that the server refuses fails with the error of the server', async () => {
    const connection = await open(settingsFor());
    const source = connection.copyOut('copy public.nothing to stdout');
    expect((await getError(text(source))).sqlstate).toBe('42P01');
    const target = connection.copyIn('copy public.nothing from stdin');
    expect((await getError(pipeline(['a\n'], target))).sqlstate).toBe('42P01');
    expect(await connection.query('select 1 as a')).toEqual([{ a: 1 }]);
  });
});

describe('piping a COPY from one connection to another', () => {
  const rows = 200_000;
  const series = (expression = 'i'): string =>
    `copy (select ${expression}, pg_catalog.repeat('x', 50) from pg_catalog.generate_series(1, ${rows}) i) to stdout`;

  async function openPair(): Promise<{ from: Connection; to: Connection; table: string; into: string }> {
    const from = await open(settingsFor(), { role: 'clone' });
    const to = await open(settingsFor(), { role: 'central' });
    const table = `public.${uniqueName('copied')}`;
    await to.query(`create table ${table} (a integer, b text)`);
    return { from, to, table, into: `copy ${table} from stdin` };
  }

  async function killOn(connection: Connection): Promise<() => Promise<unknown>> {
    const [row] = await connection.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
    return () => database.query('select pg_catalog.pg_terminate_backend($1)', [row?.pid]);
  }

  it('moves all rows and reports the bytes on the way', async () => {
    const { from, to, table, into } = await openPair();
    const seen: number[] = [];
    const result = await pipeCopy(from, series(), to, into, (bytes) => seen.push(bytes));
    expect(result.rows).toBe(rows);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toBe(result.bytes);
    expect(await to.query(`select pg_catalog.count(*)::integer as count from ${table}`)).toEqual([{ count: rows }]);
    expect(await from.query('select 1 as a')).toEqual([{ a: 1 }]);
    expect((await pipeCopy(from, 'copy (select 1 where false) to stdout', to, into)).rows).toBe(0);
  });

  it('moves a value of 64 MB', async () => {
    const { from, to, table, into } = await openPair();
    const result = await pipeCopy(from, `copy (select 1, pg_catalog.repeat('x', 64 << 20)) to stdout`, to, into);
    expect(result.rows).toBe(1);
    expect(await to.query(`select pg_catalog.length(b) as length from ${table}`)).toEqual([{ length: 64 << 20 }]);
  });

  it('that fails at the source is cancelled at the target, and both go on', async () => {
    const { from, to, table, into } = await openPair();
    for (const sql of [series(`1 / (${rows} - 10 - i)`), 'copy public.nothing to stdout']) {
      const error = await getError(
        withTransaction(to, {}, () => withTransaction(from, {}, () => pipeCopy(from, sql, to, into))),
      );
      expect(error).toBeInstanceOf(CopyError);
      expect(error).toMatchObject({ side: 'source' });
      expect(error.message).toMatch(/^reading from clone \(.*(division by zero|does not exist)/);
      expect(await to.query(`select a from ${table}`)).toEqual([]);
      expect(await from.query('select 1 as a')).toEqual([{ a: 1 }]);
    }
  });

  it('that fails at the target closes the source, and the target goes on', async () => {
    const { from, to, table, into } = await openPair();
    await to.query(`alter table ${table} add check (a <> 1000)`);
    // far more than lines and buffers hold: the source cannot have come to its end when the target fails
    const endless = `copy (select pg_catalog.generate_series(1, 100000000), pg_catalog.repeat('x', 50)) to stdout`;
    const error = await getError(
      withTransaction(to, {}, () => withTransaction(from, {}, () => pipeCopy(from, endless, to, into))),
    );
    expect(error).toBeInstanceOf(CopyError);
    expect(error).toMatchObject({ side: 'target', sqlstate: '23514' });
    expect(error.message).toMatch(/^writing to central \(/);
    expect(from.isBroken).toBe(true);
    expect(await to.query(`select a from ${table}`)).toEqual([]);
  });

  it('that the target refuses at once, or at the very end, fails at the target', async () => {
    const first = await openPair();
    const refused = await getError(pipeCopy(first.from, series(), first.to, 'copy public.nothing from stdin'));
    expect(refused).toMatchObject({ side: 'target', sqlstate: '42P01' });
    expect(await first.to.query('select 1 as a')).toEqual([{ a: 1 }]);
    const { from, to, into } = await openPair();
    const short = await getError(pipeCopy(from, 'copy (select 1) to stdout', to, into));
    expect(short).toMatchObject({ side: 'target', sqlstate: '22P04' });
    expect(await to.query('select 1 as a')).toEqual([{ a: 1 }]);
  });

  it('ends when the connection to the source is lost', async () => {
    const { from, to, table, into } = await openPair();
    const kill = await killOn(from);
    let killed: Promise<unknown> | undefined;
    const endless = 'copy (select pg_catalog.generate_series(1, 1000000000), 1) to stdout';
    const error = await getError(
      pipeCopy(from, endless, to, into, () => {
        killed ??= kill();
      }),
    );
    await killed;
    expect(error).toMatchObject({ side: 'source', sqlstate: '57P01' });
    expect(await to.query(`select a from ${table}`)).toEqual([]);
  });

  it('ends when the connection to the target is lost', async () => {
    const { from, to, into } = await openPair();
    const kill = await killOn(to);
    let killed: Promise<unknown> | undefined;
    const endless = 'copy (select pg_catalog.generate_series(1, 1000000000), 1) to stdout';
    const error = await getError(
      pipeCopy(from, endless, to, into, () => {
        killed ??= kill();
      }),
    );
    await killed;
    expect(error).toMatchObject({ side: 'target', isConnectionFailure: true });
    expect(to.isBroken).toBe(true);
  });

  it('ends when the network falls silent', async () => {
    const { to, into } = await openPair();
    const network = await createNetwork();
    const endless = 'copy (select pg_catalog.generate_series(1, 1000000000), 1) to stdout';
    const from = await open(network.settings, { quietMilliseconds: 300 });
    const error = await getError(pipeCopy(from, endless, to, into, () => network.fallSilent()));
    expect(error).toMatchObject({ side: 'source', isConnectionFailure: true });
    expect(await to.query('select 1 as a')).toEqual([{ a: 1 }]);

    const second = await createNetwork();
    const source = await open(settingsFor());
    const target = await open(second.settings, { quietMilliseconds: 300 });
    const lost = await getError(pipeCopy(source, endless, target, into, () => second.fallSilent()));
    expect(lost).toMatchObject({ side: 'target', isConnectionFailure: true });
  });
});

describe('a network that falls silent', () => {
  it('ends a query with an error, and closing does not wait for it', async () => {
    const network = await createNetwork();
    const connection = await open(network.settings, { quietMilliseconds: 300 });
    const patient = await open(network.settings);
    const waiting = getError(connection.query('select pg_catalog.pg_sleep(600)'));
    network.fallSilent();
    const error = await waiting;
    expect(error.message).toMatch(/^the connection to .* failed: no answer from the server$/);
    expect(error.isConnectionFailure).toBe(true);
    const begin = Date.now();
    await patient.close();
    expect(Date.now() - begin).toBeLessThan(5000);
  });

  it('is not taken for a query that runs long', async () => {
    const connection = await open(settingsFor(), { quietMilliseconds: 100 });
    expect(await connection.query("select 'done' as a from pg_catalog.pg_sleep(1.5)")).toEqual([{ a: 'done' }]);
  });
});

describe('the connection of a foreign server', () => {
  it('has only options that dblink accepts', async () => {
    const { server, userMapping } = toForeignServerOptions(
      settingsFor({ sslmode: 'prefer', password: 'p', targetSessionAttrs: 'read-write', channelBinding: 'require' }),
    );
    const list = (options: Record<string, string>): string =>
      Object.entries(options)
        .map(([name, value]) => `${name} '${value.replaceAll("'", "''")}'`)
        .join(', ');
    await database.query('create extension dblink');
    await database.query(`create server remote foreign data wrapper dblink_fdw options (${list(server)})`);
    await database.query(`create user mapping for public server remote options (${list(userMapping)})`);
    const own = settingsFor();
    const { server: reachable } = toForeignServerOptions(own);
    await database.query(`create server itself foreign data wrapper dblink_fdw options (${list(reachable)})`);
    await database.query(
      `create user mapping for public server itself options (user '${own.user}', password '${own.password}')`,
    );
    expect(
      await database.query(`select path from public.dblink('itself', 'show search_path') as t (path text)`),
    ).toEqual([{ path: '' }]);
  });
});

describe('an error', () => {
  it('of the connection is a DatabaseError with all that is known', () => {
    const error = new DatabaseError('x', { sqlstate: '40001' });
    expect(error.isRetryable).toBe(true);
    expect(error.exitCode).toBe(1);
  });
});
