import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findServerUser } from '../../scripts/postgres-process.js';
import { openConnection, pipeCopy, withConnection, withTransaction } from '../../src/db/connection.js';
import { type ConnectionSettings, parseConnection } from '../../src/db/connection-settings.js';
import type { DatabaseError } from '../../src/db/postgres-error.js';
import { LizsyncError, UsageError } from '../../src/errors.js';
import { withMaintenance } from '../support/database.js';
import { createPrivateServer, type TestServer } from '../support/server.js';

const hostName = 'db.example.test';
/** Every way in, as long as it has the password. */
const openDoor = 'local all all scram-sha-256\nhost all all all scram-sha-256\n';

let directory: string;
let server: TestServer & { remove(): Promise<void> };

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'lizsync-tls-'));
  chmodSync(directory, 0o755);
  createAuthority('authority');
  createAuthority('other');
  createCertificate('server', hostName);
  createCertificate('alice', 'alice');
  const sockets = path.join(directory, 'sockets');
  mkdirSync(sockets);
  const user = findServerUser();
  if (user) for (const file of [inDirectory('server.key'), sockets]) chownSync(file, user.uid, user.gid);
  server = await createPrivateServer({
    settings: {
      ssl: 'on',
      ssl_cert_file: inDirectory('server.crt'),
      ssl_key_file: inDirectory('server.key'),
      ssl_ca_file: inDirectory('authority.crt'),
      unix_socket_directories: sockets,
    },
  });
  await withMaintenance(server, (client) => client.query('create role alice login superuser'));
});

afterAll(async () => {
  await server?.remove();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(() => configure(openDoor));

function inDirectory(name: string): string {
  return path.join(directory, name);
}

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
}

function createAuthority(name: string): void {
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`],
  );
}

function createCertificate(name: string, commonName: string): void {
  openssl(
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${commonName}`],
    ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
  );
  writeFileSync(inDirectory(`${name}.ext`), `subjectAltName=DNS:${commonName}\n`);
  openssl(
    ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial'],
    ...['-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.crt`],
  );
  chmodSync(inDirectory(`${name}.key`), 0o600);
}

/** Sets who gets in, and how, and whether the server offers TLS. */
async function configure(accessRules: string, tls = true): Promise<void> {
  const settings = await connect();
  writeFileSync(
    path.join(server.dataDirectory ?? '', 'pg_hba.conf'),
    `local all postgres scram-sha-256\n${accessRules}`,
  );
  await withConnection(settings, async (connection) => {
    const [before] = await connection.query<{ at: string }>('select pg_catalog.pg_conf_load_time()::text as at');
    await connection.query(`alter system set ssl = ${tls ? 'on' : 'off'}`);
    await connection.query('select pg_catalog.pg_reload_conf()');
    // The server reads the files when it gets round to it.
    await expect
      .poll(async () => (await connection.query('select pg_catalog.pg_conf_load_time()::text as at'))[0]?.at)
      .not.toBe(before?.at);
  });
}

/** Over the socket, which every configuration of these tests leaves open. */
function connect(): ConnectionSettings {
  return parse(`host=${inDirectory('sockets')} sslmode=disable`);
}

/** Settings for the server by its address, under the name of its certificate; `text` adds to them. */
function parse(text: string): ConnectionSettings {
  const { password } = new URL(server.url);
  const base = `host=${hostName} hostaddr=127.0.0.1 port=${server.port} user=postgres password=${password}`;
  const given = text.includes('host=') ? base.replace(/^host=\S+ hostaddr=\S+/, '') : base;
  return parseConnection(`${given} dbname=postgres ${text}`, {
    variables: {},
    homeDirectory: inDirectory('home'),
    userName: undefined,
  });
}

/** Connects, and tells how the connection is protected: null without TLS. */
async function getTls(text: string): Promise<string | null> {
  return withConnection(parse(text), async (connection) => {
    const [row] = await connection.query<{ version: string | null }>(
      'select version from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()',
    );
    return row?.version ?? null;
  });
}

async function getError(text: string): Promise<DatabaseError> {
  const error = await openConnection(parse(text)).then(
    () => new Error(`connected with ${text}`),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(LizsyncError);
  return error;
}

const root = (): string => `sslrootcert=${inDirectory('authority.crt')}`;
const wrongRoot = (): string => `sslrootcert=${inDirectory('other.crt')}`;
const otherName = 'host=localhost hostaddr=127.0.0.1';

describe('encryption', () => {
  it('is off with disable, a last resort with allow, and on with everything else', async () => {
    expect(await getTls('sslmode=disable')).toBeNull();
    expect(await getTls('sslmode=allow')).toBeNull();
    expect(await getTls('')).toMatch(/^TLS/);
    expect(await getTls('sslmode=prefer')).toMatch(/^TLS/);
    expect(await getTls('sslmode=require')).toMatch(/^TLS/);
  });

  it('is given up by prefer, and by nothing stronger, when the server has none', async () => {
    await configure(openDoor, false);
    expect(await getTls('sslmode=prefer')).toBeNull();
    expect(await getTls('sslmode=allow')).toBeNull();
    for (const mode of ['require', `verify-ca ${root()}`, `verify-full ${root()}`]) {
      expect((await getError(`sslmode=${mode}`)).message).toMatch(/does not offer TLS$/);
    }
  });

  it('is what the access rules of the server ask for, with allow and prefer', async () => {
    await configure('hostssl all all all scram-sha-256\n');
    expect(await getTls('sslmode=allow')).toMatch(/^TLS/);
    expect((await getError('sslmode=disable')).sqlstate).toBe('28000');
    await configure('hostnossl all all all scram-sha-256\n');
    expect(await getTls('sslmode=prefer')).toBeNull();
    const error = await getError('sslmode=require');
    expect(error.sqlstate).toBe('28000');
    expect(error.hint).toContain('pg_hba.conf');
  });

  it('is not given up after a wrong password', async () => {
    await configure('hostssl all all all scram-sha-256\nhostnossl all all all trust\n');
    expect((await getError('sslmode=prefer password=wrong')).sqlstate).toBe('28P01');
  });

  it('does not matter on a socket, where there is no network', async () => {
    expect(await getTls(`host=${inDirectory('sockets')} sslmode=verify-full`)).toBeNull();
    await withConnection(connect(), (connection) =>
      withTransaction(connection, {}, async () => {
        expect(await connection.query('select 1 as a')).toEqual([{ a: 1 }]);
      }),
    );
  });

  it('can begin directly', async ({ skip }) => {
    skip(server.version < 170_000, 'PostgreSQL before 17 has no direct negotiation');
    expect(await getTls('sslmode=require sslnegotiation=direct')).toMatch(/^TLS/);
  });

  it('keeps to the versions that are asked for', async () => {
    expect(await getTls('sslmode=require ssl_max_protocol_version=TLSv1.2')).toBe('TLSv1.2');
    expect(await getTls('sslmode=require ssl_min_protocol_version=TLSv1.3')).toBe('TLSv1.3');
  });

  it('carries COPY in both directions', async () => {
    await withConnection(parse('sslmode=require'), (from) =>
      withConnection(parse('sslmode=require'), async (to) => {
        await to.query('create temporary table copied (a integer, b text)');
        const sql = `copy (select i, pg_catalog.repeat('x', 100) from pg_catalog.generate_series(1, 100000) i) to stdout`;
        expect((await pipeCopy(from, sql, to, 'copy copied from stdin')).rows).toBe(100_000);
        expect(await to.query('select pg_catalog.count(*)::integer as count from copied')).toEqual([
          { count: 100_000 },
        ]);
      }),
    );
  });
});

describe("the server's certificate", () => {
  it('is not looked at by require without a root certificate', async () => {
    expect(await getTls(`sslmode=require ${otherName}`)).toMatch(/^TLS/);
  });

  it('is checked by require when there is a root certificate, as verify-ca does', async () => {
    expect(await getTls(`sslmode=require ${otherName} ${root()}`)).toMatch(/^TLS/);
    expect((await getError(`sslmode=require ${wrongRoot()}`)).message).toContain('certificate is not trusted');
    const ownRoot = path.join(inDirectory('home'), '.postgresql', 'root.crt');
    mkdirSync(path.dirname(ownRoot), { recursive: true });
    try {
      openssl('x509', '-in', 'other.crt', '-out', ownRoot);
      expect((await getError('sslmode=require')).message).toContain('certificate is not trusted');
      expect(await getTls(`sslmode=require ${root()}`)).toMatch(/^TLS/);
    } finally {
      rmSync(inDirectory('home'), { recursive: true });
    }
  });

  it('has its authority checked by verify-ca, and not its name', async () => {
    expect(await getTls(`sslmode=verify-ca ${otherName} ${root()}`)).toMatch(/^TLS/);
    const error = await getError(`sslmode=verify-ca ${wrongRoot()}`);
    expect(error.message).toContain('certificate is not trusted');
    expect(error.hint).toContain('sslrootcert');
  });

  it('has its name checked too by verify-full', async () => {
    expect(await getTls(`sslmode=verify-full ${root()}`)).toMatch(/^TLS/);
    for (const host of [otherName, 'host=127.0.0.1', 'hostaddr=127.0.0.1 host=127.0.0.1']) {
      expect((await getError(`sslmode=verify-full ${host} ${root()}`)).message).toContain('is for another host');
    }
    expect((await getError(`sslmode=verify-full ${wrongRoot()}`)).message).toContain('certificate is not trusted');
  });

  it('is not trusted by the authorities of the system', async () => {
    expect((await getError('sslrootcert=system')).message).toContain('certificate is not trusted');
  });

  it('cannot be checked without a root certificate', async () => {
    for (const text of ['sslmode=verify-ca', 'sslmode=verify-full', 'sslmode=require sslrootcert=/nowhere/root.crt']) {
      const error = await getError(text);
      expect(error).toBeInstanceOf(UsageError);
      expect(error.exitCode).toBe(2);
    }
    expect((await getError('sslmode=verify-full')).hint).toContain('root.crt');
  });
});

describe('a client certificate', () => {
  const own = (): string => `user=alice sslcert=${inDirectory('alice.crt')} sslkey=${inDirectory('alice.key')}`;

  beforeEach(() => configure('hostssl all all all cert\n'));

  it('proves who the user is', async () => {
    expect(await getTls(`sslmode=require ${own()}`)).toMatch(/^TLS/);
    expect((await getError(`sslmode=require user=alice`)).sqlstate).toBe('28000');
    expect((await getError(`sslmode=require ${own()} sslcertmode=disable`)).sqlstate).toBe('28000');
  });

  it('is refused when others can read its key, or when it has none', async () => {
    chmodSync(inDirectory('alice.key'), 0o644);
    try {
      const error = await getError(`sslmode=require ${own()}`);
      expect(error.message).toContain('can be read by others');
      expect(error.hint).toContain('chmod 600');
    } finally {
      chmodSync(inDirectory('alice.key'), 0o600);
    }
    expect((await getError(`sslmode=require sslcert=${inDirectory('alice.crt')}`)).message).toContain('has no key');
  });
});

describe('channel binding', () => {
  it('is used when it is required', async () => {
    expect(await getTls('sslmode=require channel_binding=require')).toMatch(/^TLS/);
    expect(await getTls('sslmode=require channel_binding=disable')).toMatch(/^TLS/);
  });

  it('that is required and impossible ends the login', async () => {
    const error = await getError('sslmode=disable channel_binding=require');
    expect(error.message).toContain('channel_binding=require');
    expect(error.hint).toContain('sslmode=require');
    for (const method of ['trust', 'password']) {
      await configure(`host all all all ${method}\n`);
      expect((await getError('sslmode=require channel_binding=require')).message).toContain('channel_binding=require');
    }
  });
});
