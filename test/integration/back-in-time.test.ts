import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runPgDump } from '../../scripts/dump-schema.js';
import { deploy } from '../../src/core/deploy.js';
import { createPackage } from '../../src/core/package.js';
import { type SynchronizeResult, synchronize } from '../../src/core/sync.js';
import { upgrade } from '../../src/core/upgrade.js';
import type { LizsyncError } from '../../src/errors.js';
import { createDatabase, type TestDatabase, withMaintenance } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, type Transport, transports } from '../support/link.js';
import { refusal } from '../support/refusal.js';
import { createPrivateServer, getCloneServer, getTestServer, type TestServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';
import { expectSynchronised, waitForBlocked } from '../support/synchronised.js';

const items = `
  create schema test;
  create table test.item (id uuid primary key default gen_random_uuid(), name text);
`;

interface World extends LinkedDatabases {
  clone: TestDatabase;
}

/** A central and a clone that have synchronised changes of both. */
async function createWorld(servers: { central?: TestServer; clone?: TestServer } = {}): Promise<World> {
  const link = await linkDatabases(items, { servers });
  const clone = link.clones[0] as TestDatabase;
  const world = { ...link, clone };
  await work(world, 'first');
  return world;
}

/** Changes something on both sides, and synchronises. */
async function work({ central, clone, sync }: World, name: string): Promise<void> {
  await central.query('insert into test.item (name) values ($1)', [`central ${name}`]);
  await clone.query('insert into test.item (name) values ($1)', [`clone ${name}`]);
  await sync(clone);
}

async function copy(database: TestDatabase): Promise<TestDatabase> {
  await database.close();
  return createDatabase(database.server, { template: database.name, name: 'copy' });
}

/** Puts a copy in the place of the original, as a restore does. */
async function putBack(backup: TestDatabase, original: TestDatabase): Promise<void> {
  await backup.close();
  await original.drop();
  await withMaintenance(original.server, (client) =>
    client.query(`alter database ${backup.name} rename to ${original.name}`),
  );
}

function syncBetween(central: TestDatabase, clone: TestDatabase, transport: Transport): Promise<SynchronizeResult> {
  return synchronize({
    central: toSettings(central.url),
    clone: toSettings(clone.url),
    viaClone: transport === 'sql',
  });
}

/** Makes a new package of a central and deploys it; what the clone may not have sent goes to a file first. */
async function redeploy(
  central: TestDatabase,
  clone: TestDatabase,
  options: { newId?: boolean; unsent?: string; sharesPast?: boolean } = {},
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lizsync-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const archive = path.join(folder, 'package.zip');
  await createPackage({ central: toSettings(central.url), schemas: ['test'], output: archive });
  const { newId = false } = options;
  const deployment = { archive, central: toSettings(central.url), clone: toSettings(clone.url), newId };
  if (options.sharesPast) {
    await deploy(deployment);
    return;
  }
  const error = await refusal(deploy(deployment));
  expect(error.message).toMatch(/the clone .* and the central do not share their past/);
  expect(error.hint).toMatch(/lizsync compare shows that.* lizsync deploy --force/);
  const unsentChangesFile = path.join(folder, 'unsent.jsonl');
  await deploy({ ...deployment, force: true, unsentChangesFile });
  if (options.unsent) expect(await readFile(unsentChangesFile, 'utf8')).toContain(options.unsent);
}

async function namesIn(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>('select name from test.item order by name');
  return rows.map(({ name }) => name);
}

/** Expects that changes go both ways again. */
async function expectToWork(central: TestDatabase, clone: TestDatabase): Promise<void> {
  await syncBetween(central, clone, 'cli');
  for (const transport of transports) {
    await central.query(`insert into test.item (name) values ('central again, ${transport}')`);
    await clone.query(`insert into test.item (name) values ('clone again, ${transport}')`);
    expect(await syncBetween(central, clone, transport)).toMatchObject({ pushed: 1, pulled: 1, held: 0, conflicts: 0 });
  }
  expect(await namesIn(clone)).toEqual(await namesIn(central));
  expect(await syncBetween(central, clone, 'cli')).toMatchObject({ pushed: 0, pulled: 0 });
}

/** Expects a refusal that changes nothing, by both transports. */
async function expectRefusal(central: TestDatabase, clone: TestDatabase): Promise<LizsyncError> {
  const before = [await namesIn(central), await namesIn(clone)];
  const [error, other] = [
    await refusal(syncBetween(central, clone, 'cli')),
    await refusal(syncBetween(central, clone, 'sql')),
  ];
  expect(error.exitCode).toBe(1);
  expect({ message: other.message, hint: other.hint }).toEqual({ message: error.message, hint: error.hint });
  expect([await namesIn(central), await namesIn(clone)]).toEqual(before);
  return error;
}

describe('databases that exist twice or went back in time (behaviour 10)', () => {
  it('refuse a copy of the clone, while the original goes on, and take it back with a new identity', async () => {
    const world = await createWorld();
    const { central, clone } = world;
    const twin = await copy(clone);
    await work(world, 'second');
    const error = await expectRefusal(central, twin);
    expect(error.message).toMatch(/the clone .* is a copy/);
    expect(error.hint).toMatch(/Synchronise the original.*deploy a package here with --new-id/);
    await work(world, 'third');
    await redeploy(central, twin, { newId: true });
    await expectToWork(central, twin);
    await expectToWork(central, clone);
  });

  it('refuse a clone that was restored from a backup, until a package is deployed to it', async () => {
    const world = await createWorld();
    const { central, clone } = world;
    const backup = await copy(clone);
    await work(world, 'second');
    await putBack(backup, clone);
    const error = await expectRefusal(central, clone);
    expect(error.message).toMatch(/the clone .* is a copy/);
    expect(error.hint).toMatch(/deploy a package here/);
    await redeploy(central, clone);
    expect(await namesIn(clone)).toEqual(['central first', 'central second', 'clone first', 'clone second']);
    await expectToWork(central, clone);
  });

  it('refuse a central that was restored from a backup, until it has made new packages', async () => {
    const world = await createWorld();
    const { central, clone } = world;
    const backup = await copy(central);
    await work(world, 'second');
    await putBack(backup, central);
    const error = await expectRefusal(central, clone);
    expect(error.message).toMatch(/the central .* is a copy or was restored/);
    expect(error.hint).toMatch(/make new packages of it and deploy them/);
    await redeploy(central, clone);
    await expectToWork(central, clone);
  });

  it('refuse a copy of the central, while the original goes on', async () => {
    const world = await createWorld();
    const { central, clone } = world;
    const twin = await copy(central);
    await work(world, 'second');
    const before = await namesIn(twin);
    const error = await refusal(syncBetween(twin, clone, 'cli'));
    expect(error.message).toMatch(/the central .* is a copy or was restored/);
    expect(error.hint).toMatch(/Use the original/);
    expect(await namesIn(twin)).toEqual(before);
    await work(world, 'third');
    await expectToWork(central, clone);
  });
});

describe('a server whose files were put back (behaviour 10)', () => {
  /** Stops a server, and returns a function that puts its files back as they are now. */
  async function backUp(server: TestServer, databases: TestDatabase[]): Promise<() => Promise<void>> {
    const { dataDirectory } = server;
    if (dataDirectory === null) throw new Error('the server has no files here');
    const backup = `${dataDirectory}.backup`;
    const copyFiles = async (from: string, to: string): Promise<void> => {
      for (const database of databases) await database.close();
      await server.stop();
      await rm(to, { recursive: true, force: true });
      // with its owner
      await promisify(execFile)('cp', ['-a', from, to]);
      await server.start();
    };
    await copyFiles(dataDirectory, backup);
    return () => copyFiles(backup, dataDirectory);
  }

  it('refuses to go on as a clone that was put back, even after it has done more work than it had', async () => {
    const server = await createPrivateServer();
    onTestFinished(() => server.remove());
    const world = await createWorld({ clone: server });
    const { central, clone } = world;
    const putFilesBack = await backUp(server, [clone]);
    await work(world, 'second');
    await putFilesBack();
    const error = await expectRefusal(central, clone);
    expect(error.message).toMatch(/the clone .* was restored from a backup/);
    expect(error.hint).toMatch(/Deploy a package to it/);

    // its transactions have passed those that the central knows
    await clone.query(
      `do $$ begin for n in 1 .. 100 loop insert into test.item (name) values ('clone more ' || n); commit; end loop; end $$`,
    );
    const later = await expectRefusal(central, clone);
    expect(later.message).toMatch(/this clone has gone back in time/);
    expect(later.hint).toMatch(/Deploy a package to it/);
    // what it has done since then is not taken for what the central got before
    await redeploy(central, clone, { unsent: 'clone more 1"' });
    await expectToWork(central, clone);
  });

  it('refuses a central that was put back, even after it has done more work than it had', async () => {
    const server = await createPrivateServer();
    onTestFinished(() => server.remove());
    const world = await createWorld({ central: server });
    const { central, clone } = world;
    const putFilesBack = await backUp(server, [central]);
    await work(world, 'second');
    await putFilesBack();
    const error = await expectRefusal(central, clone);
    expect(error.message).toMatch(/the central .* has gone back in time/);
    expect(error.hint).toMatch(/Make a new package of the central/);
    await central.query(
      `do $$ begin for n in 1 .. 100 loop insert into test.item (name) values ('central more ' || n); commit; end loop; end $$`,
    );
    const later = await expectRefusal(central, clone);
    expect(later.message).toMatch(/the central .* has gone back in time/);
    expect(later.hint).toMatch(/Make a new package of the central/);
    await redeploy(central, clone);
    await expectToWork(central, clone);
  });

  it('takes a clone back at once after the central was put back', async () => {
    const server = await createPrivateServer();
    onTestFinished(() => server.remove());
    const world = await createWorld({ central: server });
    const { central, clone } = world;
    const putFilesBack = await backUp(server, [central]);
    for (const name of ['second', 'third', 'fourth']) await work(world, name);
    await putFilesBack();
    await expectRefusal(central, clone);
    await redeploy(central, clone);
    await expectToWork(central, clone);
  });

  it('goes on after a crash of the server in the middle of a sync', async () => {
    const server = await createPrivateServer();
    onTestFinished(() => server.remove());
    const world = await createWorld({ central: server, clone: server });
    const { central, clone, sync } = world;
    for (const { at, table } of [
      { at: central, table: 'test.item' },
      { at: central, table: 'lizsync.history' },
      { at: clone, table: 'test.item' },
      { at: clone, table: 'lizsync.history' },
    ]) {
      await central.query(`insert into test.item (name) values ('central before a crash')`);
      await clone.query(`insert into test.item (name) values ('clone before a crash')`);
      const holder = await at.connect();
      await holder.query(`begin; lock table ${table} in exclusive mode`);
      const syncing = refusal(sync());
      await waitForBlocked(at);
      await server.restart('immediate');
      await syncing;
      for (const database of [central, clone]) await database.close();
      await sync();
      await expectSynchronised(world);
    }
    await expectToWork(central, clone);
  });
});

describe('a database that was moved to another server (behaviour 10)', () => {
  const hasUpgrade = getTestServer().upgradeFiles !== null;
  const title = (text: string): string => (hasUpgrade ? text : `${text} [skipped: the server has no pg_upgrade]`);

  it.skipIf(!hasUpgrade).each(['clone', 'central'] as const)(
    title('goes on after pg_upgrade once that was confirmed (the %s)'),
    async (role) => {
      const server = await createPrivateServer();
      onTestFinished(() => server.remove());
      const world = await createWorld({ [role]: server });
      const { central, clone } = world;
      await clone.query(`insert into test.item (name) values ('clone, not sent')`);
      await central.query(`insert into test.item (name) values ('central, not sent')`);
      await world[role].close();
      await server.upgradeFiles?.();

      const error = await expectRefusal(central, clone);
      expect(error.hint).toContain(`lizsync upgrade --${role} --moved`);
      const accept = () => upgrade(toSettings(world[role].url), { role, install: false, dryRun: false, moved: true });
      expect(await accept()).toMatchObject({ moved: true });
      expect(await accept()).toMatchObject({ moved: false });
      expect(await syncBetween(central, clone, 'cli')).toMatchObject({ pushed: 1, pulled: 1, conflicts: 0, held: 0 });
      await expectToWork(central, clone);
    },
  );

  for (const role of ['clone', 'central'] as const) {
    const { pgDump } = role === 'central' ? getTestServer() : getCloneServer();
    const name = `needs a deploy after a dump was restored (the ${role})`;
    it.skipIf(pgDump === null)(
      pgDump === null ? `${name} [skipped: no pg_dump as new as the server]` : name,
      async () => {
        const world = await createWorld();
        const server = await createPrivateServer();
        onTestFinished(() => server.remove());
        const original = world[role];
        // more than a new server has
        await original.query(
          'do $$ begin for n in 1 .. 2000 loop perform pg_current_xact_id(); commit; end loop; end $$',
        );
        await original.query(`insert into test.item (name) values ('not sent')`);
        const restored = await createDatabase(server);
        const client = await restored.connect();
        const dump = await runPgDump(pgDump ?? '', original.url, ['--inserts', '--no-acl']);
        // what only psql understands
        await client.query(dump.replace(/^\\.*$/gm, ''));
        await client.end();
        const [central, clone] = role === 'central' ? [restored, world.clone] : [world.central, restored];
        await refusal(syncBetween(central, clone, 'cli'));
        const error = await refusal(
          upgrade(toSettings(restored.url), { role, install: false, dryRun: false, moved: true }),
        );
        expect(error.message).toContain('counts transactions anew');
        expect(error.hint).toMatch(role === 'central' ? /Make new packages/ : /Deploy a package/);
        await redeploy(central, clone, role === 'clone' ? { unsent: 'not sent' } : { sharesPast: true });
        await expectToWork(central, clone);
      },
    );
  }
});
