import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { deploy } from '../../src/core/deploy.js';
import { synchronize } from '../../src/core/sync.js';
import { type RunningCli, runLizsync, startLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { describeDatabase } from '../support/describe-database.js';
import { createCentral, createEmptyClone, createFolder, deployTo, packageTables } from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { getCloneServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';
import { waitForBlocked, waitUntil } from '../support/synchronised.js';
import { createTcpProxy } from '../support/tcp-proxy.js';

const schema = `
  create schema test;
  create table test.tree (id integer primary key, kind text);
  insert into test.tree select i, 'kind ' || i from generate_series(1, 1000) as i;
  create table test.large (id integer primary key, t text);
  insert into test.large select i, repeat(md5(i::text), 60) from generate_series(1, 30000) as i`;

let central: TestDatabase;

beforeAll(async () => {
  central = await createCentral(schema);
});

/** No session of the program is left, as soon as the servers have noticed that it has gone. */
async function expectNoSessions(...databases: TestDatabase[]): Promise<void> {
  for (const database of databases) {
    await vi.waitFor(
      async () => {
        expect(
          await database.query(
            `select state, query from pg_stat_activity
             where datname = current_database() and application_name = 'lizsync' and pid <> pg_backend_pid()`,
          ),
        ).toEqual([]);
      },
      { timeout: 5000, interval: 20 },
    );
  }
}

async function expectEnd(running: RunningCli, signal: NodeJS.Signals): Promise<void> {
  const result = await running.finished;
  if (signal === 'SIGKILL') expect(result).toMatchObject({ code: null, signal });
  else expect(result, result.stderr).toMatchObject({ code: 130 });
}

/** The arguments that package the central into a file. */
function packageTo(output: string): string[] {
  return ['package', '--central', central.url, '--schemas', 'test', '--output', output];
}

const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGKILL'];

describe('package', () => {
  test.each(signals)('that is ended by %s leaves no file, no session and no package', async (signal) => {
    const folder = await createFolder();
    const output = path.join(folder, 'package.zip');
    await writeFile(output, 'before');
    const args = packageTo(output);
    const before = await central.value('select count(*) from lizsync.packages');
    const running = await startLizsync([...args, '--compression-level', '9']);
    await vi.waitFor(async () => expect((await readdir(folder)).length).toBe(2), { timeout: 20_000, interval: 5 });
    running.kill(signal);
    await expectEnd(running, signal);
    await expectNoSessions(central);
    expect(await readFile(output, 'utf8')).toBe('before');
    expect(await central.value('select count(*) from lizsync.packages')).toBe(before);
    if (signal !== 'SIGKILL') expect(await readdir(folder)).toEqual(['package.zip']);

    // what a killed one had no time to remove, the next one of the same archive removes
    const next = await startLizsync(args);
    expect(await next.finished).toMatchObject({ code: 0 });
    expect(await readdir(folder)).toEqual(['package.zip']);
  });

  test('that is told twice to end leaves nothing either', async () => {
    const folder = await createFolder();
    const output = path.join(folder, 'package.zip');
    const running = await startLizsync([...packageTo(output), '--compression-level', '9']);
    await vi.waitFor(async () => expect((await readdir(folder)).length).toBe(1), { timeout: 20_000, interval: 5 });
    running.kill('SIGINT');
    running.kill('SIGINT');
    await expectEnd(running, 'SIGINT');
    expect(await readdir(folder)).toEqual([]);
    await expectNoSessions(central);
  });

  test('does not touch the unfinished file of another that is still at work', async () => {
    const folder = await createFolder();
    const output = path.join(folder, 'package.zip');
    await writeFile(`${output}.partial-00000000-1-00000000`, 'of another machine');
    const blocker = await central.connect();
    await blocker.query('begin; lock table test.large in access exclusive mode');
    const first = await startLizsync(packageTo(output));
    await waitForBlocked(central);
    await blocker.query('rollback');
    await vi.waitFor(async () => expect((await readdir(folder)).length).toBe(2), { timeout: 20_000, interval: 5 });
    await packageTables(central, { output });
    expect(await first.finished).toMatchObject({ code: 0 });
    expect((await readdir(folder)).sort()).toEqual(['package.zip', 'package.zip.partial-00000000-1-00000000']);
  });
});

describe('deploy', () => {
  let folder: string;
  let archive: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lizsync-test-'));
    archive = (await packageTables(central, { output: path.join(folder, 'package.zip') })).file;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function expectUsable(clone: TestDatabase): Promise<void> {
    await deployTo(clone, central, (await packageTables(central)).file);
    await clone.query(`update test.tree set kind = kind || '.' where id = 1`);
    expect(await synchronize({ central: toSettings(central.url), clone: toSettings(clone.url) })).toMatchObject({
      pushed: 1,
      held: 0,
    });
    const rows = 'select id, kind from test.tree order by id';
    expect(await clone.query(rows)).toEqual(await central.query(rows));
  }

  async function expectUntouched(clone: TestDatabase, before: unknown): Promise<void> {
    await expectNoSessions(central, clone);
    expect(await describeDatabase(clone)).toEqual(before);
    const deployments = 'select count(*)::integer from lizsync.deployments where clone_database_oid = $1';
    const oid = await clone.value('select oid from pg_database where datname = current_database()');
    expect(await central.value(deployments, [oid])).toBe(0);
    // and it can be deployed
    await deployTo(clone, central, archive);
    expect(await clone.value('select count(*)::integer from test.large')).toBe(30_000);
  }

  test.each(signals)('that is ended by %s while it waits for a lock leaves the clone as it was', async (signal) => {
    const clone = await createEmptyClone();
    await deployTo(clone, central, archive);
    const before = await describeDatabase(clone);
    const next = await packageTables(central);
    const editor = await clone.connect();
    await editor.query('begin; lock table test.tree in share mode');
    const running = await startLizsync(['deploy', next.file, '--central', central.url, '--clone', clone.url]);
    await waitForBlocked(clone);
    running.kill(signal);
    await expectEnd(running, signal);
    // a server that waits for a lock does not look whether its client is there: it has to be told
    if (signal !== 'SIGKILL') await expectNoSessions(central, clone);
    await editor.query('rollback');
    await expectUntouched(clone, before);
  });

  test.each(signals)('that is ended by %s while it loads rows leaves the clone as it was', async (signal) => {
    const clone = await createEmptyClone();
    const before = await describeDatabase(clone);
    const running = await startLizsync(['deploy', archive, '--central', central.url, '--clone', clone.url]);
    await vi.waitFor(
      async () =>
        expect(
          await clone.value(
            `select count(*)::integer from pg_stat_progress_copy where datname = current_database() and tuples_processed > 100`,
          ),
        ).toBe(1),
      { timeout: 20_000, interval: 2 },
    );
    running.kill(signal);
    await expectEnd(running, signal);
    await expectUntouched(clone, before);
  });

  test('that is killed at any of its steps leaves a new clone, and one that it would replace, as it was', async () => {
    const after = path.join(await createFolder(), 'after.sql');
    await writeFile(after, 'select 1');
    const { file } = await packageTables(central, { sqlAfter: after });
    const old = await createEmptyClone();
    await deployTo(old, central, archive);
    for (const clone of [await createEmptyClone(), old]) {
      const args = ['deploy', file, '--central', central.url, '--clone', clone.url];
      const before = await describeDatabase(clone);
      let killed = 0;
      for (let line = 1; ; line += 1) {
        const result = await runLizsync(args, { killAt: new RegExp(`^(?:.*\\n){${line}}`) });
        await expectNoSessions(central, clone);
        if (result.signal !== 'SIGKILL') {
          expect(result, result.stderr).toMatchObject({ code: 0 });
          break;
        }
        killed += 1;
        // the last words are said when all is done
        if (result.stdout !== '') break;
        const now = await describeDatabase(clone);
        // on a busy machine the end may come before the signal: then all is there, which is looked at below
        if (JSON.stringify(now) !== JSON.stringify(before) && killed > 4) break;
        expect(now, `killed after: ${result.stderr}`).toEqual(before);
        // beyond the step at which the central is told, and the clone has not committed
        if (result.stderr.includes('running after.sql')) break;
      }
      expect(killed).toBeGreaterThan(4);
      await expectUsable(clone);
    }
  }, 300_000);

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'that is ended by %s while the server computes ends that too',
    async (signal) => {
      const after = path.join(await createFolder(), 'after.sql');
      await writeFile(after, 'select pg_catalog.pg_sleep(60)');
      const { file } = await packageTables(central, { sqlAfter: after });
      const clone = await createEmptyClone();
      const before = await describeDatabase(clone);
      const running = await startLizsync(['deploy', file, '--central', central.url, '--clone', clone.url]);
      await waitUntil(
        clone,
        `select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')`,
      );
      running.kill(signal);
      await expectEnd(running, signal);
      await expectUntouched(clone, before);
    },
  );

  test('whose connection breaks before the commit arrives leaves both ends as they were', async () => {
    const clone = await createEmptyClone();
    const before = await describeDatabase(clone);
    const proxy = await createTcpProxy(getCloneServer());
    proxy.stopBefore('commit\0');
    const running = deploy({
      archive,
      central: toSettings(central.url),
      clone: toSettings(proxy.urlOf(clone)),
      centralFromClone: toSettings(central.url),
    });
    running.catch(() => {});
    await proxy.failed;
    proxy.reset();
    expect((await refusal(running)).message).toContain('whether the transaction was committed is not known');
    await expectUntouched(clone, before);
  });

  test('whose commit is done but not heard of is done', async () => {
    const clone = await createEmptyClone();
    const proxy = await createTcpProxy(getCloneServer());
    proxy.dropAnswerTo('commit\0');
    const result = await deploy({
      archive,
      central: toSettings(central.url),
      clone: toSettings(proxy.urlOf(clone)),
      centralFromClone: toSettings(central.url),
    });
    expect(proxy.hasFailed()).toBe(true);
    expect(
      await central.value('select count(*)::integer from lizsync.links where peer_id = $1', [result.serverId]),
    ).toBe(1);
    await clone.query(`update test.tree set kind = 'a' where id = 1`);
    const sync = await synchronize({ central: toSettings(central.url), clone: toSettings(clone.url) });
    expect(sync).toMatchObject({ pushed: 1 });
  });
});
