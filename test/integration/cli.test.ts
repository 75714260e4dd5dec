import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { type CliResult, runLizsync, startLizsync } from '../support/cli.js';
import { createDatabase, createRole, type TestDatabase } from '../support/database.js';
import { getCloneServer, getTestServer } from '../support/server.js';

const commands = ['install', 'upgrade', 'prepare-central', 'package', 'deploy', 'sync', 'held', 'compare', 'prune'];
const program = fileURLToPath(new URL('../../bin/lizsync.js', import.meta.url));
const nowhere = 'postgresql://alice:verysecret@127.0.0.1:1/nowhere?connect_timeout=2';

/** Exactly one JSON object on stdout, and nothing else. */
function expectPureJson(result: CliResult): void {
  expect(result.json).toBeTypeOf('object');
  expect(result.stdout.trim().split('\n')).toHaveLength(1);
}

describe('help and version', () => {
  test('--version prints the version of the package', async () => {
    expect(await runLizsync(['--version'])).toMatchObject({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  test('--help lists all commands', async () => {
    const result = await runLizsync(['--help']);
    expect(result.code).toBe(0);
    for (const command of commands) expect(result.stdout).toContain(`  ${command} `);
  });

  test.each(commands)('%s --help has an example', async (command) => {
    const result = await runLizsync([command, '--help']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(new RegExp(`Examples:\n  lizsync ${command}`));
  });
});

describe('wrong usage ends with 2 and says what to do', () => {
  test.each([
    [[], 'no command given'],
    [['synk'], "unknown command 'synk'"],
    [['sync', '--clon'], "unknown option '--clon'"],
    [['sync', 'now'], 'too many arguments'],
    [['package', '--schemas', 'a'], "required option '--output <file>' not specified"],
    [['deploy', '--clone', 'archive.zip'], "missing required argument 'archive'"],
    [['upgrade'], 'say what to upgrade'],
    [['upgrade', '--central', '--clone'], "option '--central [connection]' cannot be used with option '--clone"],
    [['sync', '--quiet', '--verbose'], "option '--quiet' cannot be used with option '--verbose'"],
    [['prepare-central', '--central', 'x'], 'no tables named'],
    [['prepare-central', '--central', 'x', '--tables', 't'], 'expected SCHEMA.TABLE, got t'],
    [['sync', '--clone', 'host=x unknown_keyword=1'], 'unknown_keyword'],
    [['sync', '--config', 'missing.toml'], 'the configuration file missing.toml does not exist'],
    [['prune', '--central'], "required option '--keep <age>' not specified"],
    [['prune', '--central', 'x', '--keep', 'ever'], 'ever is not an age'],
    [['install', '--central'], 'no connection to the central is given'],
    [['sync'], 'no connection to the clone is given'],
    [['compare', '--clone', 'service=missing'], 'missing'],
  ])('lizsync %j', async (args, message) => {
    const plain = await runLizsync(args);
    expect(plain).toMatchObject({ code: 2, stdout: '' });
    expect(plain.stderr).toContain(`error: `);
    expect(plain.stderr).toContain(message);
    expect(plain.stderr).toContain('hint: ');

    const json = await runLizsync([...args, '--json']);
    expect(json).toMatchObject({ code: 2, stderr: '' });
    expectPureJson(json);
    expect(json.json.error.message).toContain(message);
  });

  test('a mistyped option with a connection in it is not repeated with its password', async () => {
    const result = await runLizsync(['sync', `--clon=${nowhere}`]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("unknown option '--clon=...'");
    expect(result.stderr).not.toContain('verysecret');
  });

  test('what is missing can be given in three ways, and the hint names them', async () => {
    const { stderr } = await runLizsync(['install']);
    for (const way of ['--central', 'LIZSYNC_CENTRAL', 'lizsync.toml']) expect(stderr).toContain(way);
  });
});

describe('failures', () => {
  test('a server that cannot be reached is an error with 1, a hint and no password', async () => {
    for (const extra of [[], ['--verbose'], ['--json']]) {
      const result = await runLizsync(['install', '--central', nowhere, ...extra]);
      expect(result.code).toBe(1);
      const output = result.stdout + result.stderr;
      expect(output).toContain('connection refused');
      expect(output).toContain('hint');
      expect(output).not.toContain('verysecret');
    }
  });

  test('a wrong password is not shown, wherever it came from', async () => {
    const database = await createDatabase(getTestServer());
    const url = new URL(database.url);
    url.password = 'verysecret';
    url.username = (await createRole(getTestServer())).name;
    const results = [
      await runLizsync(['install', '--central', url.href, '--verbose']),
      await runLizsync(['install', '--verbose'], { env: { LIZSYNC_CENTRAL: url.href } }),
    ];
    for (const result of results) {
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('password authentication failed');
      expect(result.stdout + result.stderr).not.toContain('verysecret');
    }
  });

  test('a failure with --json says the SQLSTATE of the server', async () => {
    const database = await createDatabase(getTestServer());
    const url = new URL(database.url);
    url.pathname = '/there_is_no_such_database';
    const result = await runLizsync(['install', '--central', url.href, '--json']);
    expect(result.code).toBe(1);
    expectPureJson(result);
    expect(result.json.error).toMatchObject({
      sqlstate: '3D000',
      hint: expect.any(String),
      details: expect.any(Array),
    });
  });

  test('a reader that stops reading is no failure', async () => {
    const child = spawn(process.execPath, [program, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const errors = child.stderr.setEncoding('utf8').toArray();
    const [code] = await once(child, 'close');
    expect({ code, errors: await errors }).toEqual({ code: 0, errors: [] });
  });
});

describe('where the connections come from', () => {
  let database: TestDatabase;
  let directory: string;

  beforeEach(async () => {
    database = await createDatabase(getTestServer());
    directory = await mkdtemp(path.join(tmpdir(), 'lizsync-cli-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  /** Where a dry installation would go, without touching anything. */
  async function findCentral(args: string[], env: Record<string, string> = {}): Promise<string> {
    const result = await runLizsync(['install', ...args, '--dry-run', '--verbose'], { env, cwd: directory });
    expect(result).toMatchObject({ code: 0 });
    return result.stderr;
  }

  test('the option comes before the environment, that before lizsync.toml', async () => {
    await writeFile(path.join(directory, 'lizsync.toml'), `central = '${database.url}'`);
    expect(await findCentral(['--central'])).toContain(`${path.join(directory, 'lizsync.toml')}`);
    await writeFile(path.join(directory, 'lizsync.toml'), `central = '${nowhere}'`);
    const env = { LIZSYNC_CENTRAL: database.url };
    expect(await findCentral(['--central'], env)).toContain('from LIZSYNC_CENTRAL');
    expect(await findCentral([], env)).toContain('from LIZSYNC_CENTRAL');
    env.LIZSYNC_CENTRAL = nowhere;
    expect(await findCentral(['--central', database.url], env)).toContain('from --central');
  });

  test("the user's own configuration counts in every directory", async () => {
    const own = path.join(directory, '.config', 'lizsync');
    await mkdir(own, { recursive: true });
    await writeFile(path.join(own, 'lizsync.toml'), `central = '${database.url}'`);
    const elsewhere = path.join(directory, 'elsewhere');
    await mkdir(elsewhere);
    const result = await runLizsync(['install', '--dry-run'], { env: { HOME: directory }, cwd: elsewhere });
    expect(result.code).toBe(0);
  });

  test('a single word is the name of a database, the rest comes from the environment and ~/.pgpass', async () => {
    const url = new URL(database.url);
    const passwordFile = path.join(directory, '.pgpass');
    await writeFile(passwordFile, `*:*:*:${url.username}:${decodeURIComponent(url.password)}\n`);
    await chmod(passwordFile, 0o600);
    const result = await runLizsync(['install', '--central', database.name, '--dry-run'], {
      env: { HOME: directory, PGHOST: url.hostname, PGPORT: url.port, PGUSER: url.username },
    });
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(database.name) });
  });

  test('a service of pg_service.conf is found', async () => {
    const url = new URL(database.url);
    const services = path.join(directory, 'services');
    const keys = { host: url.hostname, port: url.port, user: url.username, dbname: database.name };
    const lines = Object.entries(keys).map(([key, value]) => `${key}=${value}`);
    await writeFile(services, ['[here]', ...lines].join('\n'));
    const result = await runLizsync(['install', '--central', 'service=here', '--dry-run'], {
      env: { PGSERVICEFILE: services, PGPASSWORD: decodeURIComponent(url.password) },
    });
    expect(result).toMatchObject({ code: 0 });
  });
});

describe('output', () => {
  test('an installation says what it did, a second one that it was there, and both as JSON', async () => {
    const database = await createDatabase(getTestServer());
    const env = { LIZSYNC_CENTRAL: database.url };
    const preview = await runLizsync(['install', '--dry-run', '--json'], { env });
    expectPureJson(preview);
    expect(preview.json).toMatchObject({ dry_run: true, already_current: false, server_id: null });

    const first = await runLizsync(['install', '--central', '--name', 'head office'], { env });
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('head office') });
    expect(first.stderr).toContain('applying migration');

    const second = await runLizsync(['install', '--central'], { env });
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('already installed') });

    const json = await runLizsync(['install', '--json'], { env });
    expectPureJson(json);
    expect(json).toMatchObject({ code: 0, json: { already_current: true, applied: [], server_name: 'head office' } });
  });

  test('--quiet prints nothing when nothing needs a person', async () => {
    const database = await createDatabase(getTestServer());
    const result = await runLizsync(['install', '--central', database.url, '--quiet']);
    expect(result).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('colours are for terminals: none in a pipe, even when an error is printed', async () => {
    const result = await runLizsync(['install', '--central', nowhere]);
    expect(result.stderr).not.toContain('\u001b');
  });

  test('SIGINT ends with 130 and leaves nothing behind', async () => {
    const database = await createDatabase(getTestServer());
    const blocker = await database.connect();
    await blocker.query('begin; create schema lizsync');
    const running = await startLizsync(['install', '--central', database.url]);
    await running.seen(/creating extension|applying|waiting/);
    running.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 130 });
    await blocker.query('rollback');
    expect(
      await database.value(`select count(*)::integer from pg_namespace where nspname in ('audit', 'lizsync')`),
    ).toBe(0);
  });
});

describe('a clone and its central', () => {
  let directory: string;
  let central: TestDatabase;
  let clone: TestDatabase;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'lizsync-cli-'));
    central = await createDatabase(getTestServer(), { name: 'central' });
    clone = await createDatabase(getCloneServer(), { name: 'clone' });
    await central.query(`
      create schema shop;
      create table shop.item (code text primary key, name text);
      insert into shop.item values ('a', 'first');
    `);
    const archive = path.join(directory, 'archive.zip');
    const env = { LIZSYNC_CENTRAL: central.url, LIZSYNC_CLONE: clone.url };
    for (const args of [
      ['install', '--central'],
      ['prepare-central', '--central', '--schemas', 'shop'],
      ['package', '--central', '--schemas', 'shop', '--output', archive],
      ['deploy', archive, '--clone', '--central'],
    ]) {
      const result = await runLizsync(args, { env });
      expect(result, result.stderr).toMatchObject({ code: 0 });
    }
  });

  afterEach(() => rm(directory, { recursive: true }));

  test('the clone knows where its central is, when nothing else says it', async () => {
    const result = await runLizsync(['sync', '--clone', clone.url, '--verbose']);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stderr).toContain(`central: ${central.name} on `);
    expect(result.stderr).toContain('as stored in the clone');
    const password = new URL(central.url).password;
    if (password !== '') expect(result.stdout + result.stderr).not.toContain(password);
  });

  test.each([[[]], [['--via-clone']]])('sync %j --json has what a program needs', async (transport) => {
    await clone.query(`update shop.item set name = 'changed'`);
    await central.query(`insert into shop.item values ('b', 'second')`);
    const result = await runLizsync(['sync', '--clone', clone.url, '--json', ...transport]);
    expect(result.code).toBe(0);
    expectPureJson(result);
    expect(result.json).toEqual({
      sync_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      pushed: 1,
      pulled: 1,
      conflicts: 0,
      held: 0,
      clock_offset_ms: expect.any(Number),
    });
  });

  test('a sync of a database that is no clone says how to make it one', async () => {
    const empty = await createDatabase(getCloneServer());
    const result = await runLizsync(['sync', '--clone', empty.url, '--central', central.url]);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('error: lizsync is not installed in clone');
    expect(result.stderr).toContain(
      'hint: To make it a clone, deploy a package into it: lizsync deploy ARCHIVE --clone',
    );
  });

  test('a sync that holds a change ends with 3 and says so, also with --quiet', async () => {
    await clone.query(`insert into shop.item values ('b', 'of the clone')`);
    await central.query(`insert into shop.item values ('b', 'of the central')`);
    const result = await runLizsync(['sync', '--clone', clone.url, '--quiet']);
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toContain('could not be applied');
    expect(result.stderr).toContain('hint: lizsync held says which rows and why');
    expect(await runLizsync(['compare', '--clone', clone.url])).toMatchObject({ code: 1 });
  });

  test('a sync ends with 4 while another one of the clone is running', async () => {
    const other = await clone.connect();
    await other.query('begin; select lizsync.lock_link(peer_id) from lizsync.links');
    const result = await runLizsync(['sync', '--clone', clone.url, '--json']);
    expect(result.code).toBe(4);
    expectPureJson(result);
    expect(result.json.error).toMatchObject({ sqlstate: 'LZ004', hint: expect.any(String) });
    await other.query('rollback');
    expect(await runLizsync(['sync', '--clone', clone.url])).toMatchObject({ code: 0 });
  });

  test('redeploying over changes that were not sent is refused, and with --force they are in a file', async () => {
    await clone.query(`update shop.item set name = 'not sent'`);
    const args = ['deploy', path.join(directory, 'archive.zip'), '--clone', clone.url];
    const refused = await runLizsync(args);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('--force');
    const file = path.join(directory, 'unsent.jsonl');
    const forced = await runLizsync([...args, '--force', '--unsent-changes', file, '--json']);
    expect(forced).toMatchObject({ code: 0, json: { unsent_changes: { count: 1, file } } });
    expect(forced.stderr).toContain('discarded 1 change');
    expect(await readFile(file, 'utf8')).toContain('not sent');
  });
});
