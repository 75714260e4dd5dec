import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { deploy } from '../../src/core/deploy.js';
import { createPackage } from '../../src/core/package.js';
import type { SynchronizeResult } from '../../src/core/sync.js';
import { runLizsync } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, type Transport, transports } from '../support/link.js';
import { getCloneServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';
import { waitForOlderTransactions } from '../support/synchronised.js';

const tables = `
  create schema test;
  create table test.place (id integer primary key, name text, height integer constraint high check (height < 5000));
  insert into test.place (id, name) select n, 'name ' || n from generate_series(1, 4) as n;
`;

let world: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;
let other: TestDatabase;

beforeEach(async () => {
  world = await linkDatabases(tables, { cloneCount: 2 });
  central = world.central;
  [clone, other] = world.clones as [TestDatabase, TestDatabase];
});

function events(database: TestDatabase): Promise<number> {
  return database.value('select count(*)::integer from audit.logged_actions');
}

function statements(database: TestDatabase): Promise<number> {
  return database.value('select count(*)::integer from audit.logged_statements');
}

/** Makes everything that is in the log so many days older. */
async function age(database: TestDatabase, days: number): Promise<void> {
  await database.query(`
    update audit.logged_actions
    set changed_at = changed_at - interval '${days} days', corrected_at = corrected_at - interval '${days} days'`);
}

/** Lets the central believe that a clone was deployed, and synchronised last, so many days ago. */
async function stayAway(name: string, days: number): Promise<void> {
  await central.query(
    `update lizsync.links
     set deployed_at = deployed_at - interval '${days} days', last_synchronised_at = last_synchronised_at - interval '${days} days'
     where peer_name = $1`,
    [name],
  );
}

/** What a transaction of another test might still do is not pruned. */
async function settle(): Promise<void> {
  await waitForOlderTransactions(central, ...world.clones);
}

/** Synchronises as the first thing after what was done before is settled. */
async function sync(clone: TestDatabase, transport?: Transport): Promise<SynchronizeResult> {
  await settle();
  return await world.sync(clone, transport);
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into it
async function prune(...args: string[]): Promise<any> {
  await settle();
  const result = await runLizsync(['prune', '--central', central.url, '--json', ...args]);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.json;
}

/** A package of the central as it is now. */
async function pack(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lizsync-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const archive = path.join(folder, 'package.zip');
  await createPackage({ central: toSettings(central.url), schemas: ['test'], output: archive });
  return archive;
}

async function expectEqual(): Promise<void> {
  for (let round = 0; round < 2; round += 1) for (const each of world.clones) await sync(each);
  const expected = await world.contents(central);
  for (const each of world.clones) expect(await world.contents(each)).toEqual(expected);
}

describe('the log of a clone (behaviour 14)', () => {
  it.each(transports)('loses with a sync what the central has received, and no more (%s)', async (transport) => {
    await clone.query(`update test.place set name = 'sent'`);
    await central.query(`insert into test.place (id, name) values (10, 'new')`);
    expect([await events(clone), await statements(clone)]).toEqual([4, 1]);

    await sync(clone, transport);
    // the central's change has been logged here; that the central has got this log is known after the next sync
    expect(await clone.query('select action::text, new_values::text from audit.logged_actions')).toEqual([
      { action: 'I', new_values: expect.stringContaining('"name"=>"new"') },
    ]);
    expect(await statements(clone)).toBe(0);

    await clone.query(`delete from test.place where id = 10`);
    await sync(clone, transport);
    expect(await events(clone)).toBe(0);
    expect(await central.value('select count(*)::integer from test.place')).toBe(4);
    await expectEqual();
  });

  it('keeps what was changed while the sync ran, and what a long transaction has not committed yet', async () => {
    const late = await clone.connect();
    await late.query('begin');
    await late.query(`update test.place set name = 'late' where id = 1`);
    await clone.query(`update test.place set name = 'early' where id = 2`);
    await world.sync(clone);
    await late.query('commit');
    expect(
      await clone.value(`select count(*)::integer from audit.logged_actions where new_values::text like '%late%'`),
    ).toBe(1);
    await sync(clone);
    expect(await central.value('select name from test.place where id = 1')).toBe('late');
    await sync(clone);
    expect(await events(clone)).toBe(0);
  });

  it('is as it was when the caller of lizsync.synchronize() rolls back', async () => {
    await clone.query(`update test.place set name = 'sent'`);
    const caller = await clone.connect();
    await caller.query('begin');
    await caller.query('select lizsync.synchronize()');
    await caller.query('rollback');
    expect(await events(clone)).toBe(4);
    await expectEqual();
    expect(
      await central.value(`select count(*)::integer from audit.logged_actions where new_values::text like '%sent%'`),
    ).toBe(4);
  });

  it('keeps what a held change must meet when it is tried again', async () => {
    await central.query('alter table test.place drop constraint high');
    await central.query(`update test.place set height = 9000, name = 'held' where id = 1`);
    expect(await sync(clone)).toMatchObject({ held: 1 });
    await clone.query(`update test.place set name = 'later' where id = 1`);
    for (let n = 0; n < 3; n += 1) expect(await sync(clone)).toMatchObject({ held: 1 });

    for (const each of world.clones) await each.query('alter table test.place drop constraint high');
    expect(await sync(clone)).toMatchObject({ held: 0 });
    expect(await clone.query('select name, height from test.place where id = 1')).toEqual([
      { name: 'later', height: 9000 },
    ]);
    await expectEqual();
    expect(await events(clone)).toBe(0);
  });

  it('is shortened a piece at a time, oldest first; a statement stays as long as one of its events', async () => {
    await clone.query(`update test.place set name = 'first'`);
    await clone.query(`update test.place set name = 'second' where id = 1`);
    const before = 'pg_snapshot_xmin(pg_current_snapshot())';
    const remove = (limit: number): Promise<string> =>
      clone.value(`select removed from lizsync.remove_events(${before}, $1)`, [limit]);
    await settle();
    expect(await remove(3)).toBe('3');
    expect([await events(clone), await statements(clone)]).toEqual([2, 2]);
    expect(await remove(1)).toBe('1');
    expect([await events(clone), await statements(clone)]).toEqual([1, 1]);
    expect(await clone.value('select new_values::text from audit.logged_actions')).toBe('"name"=>"second"');
    expect(await remove(10)).toBe('1');
    expect([await events(clone), await statements(clone)]).toEqual([0, 0]);
  });
});

describe('lizsync prune (behaviour 14)', () => {
  it('removes from the log of the central what is older than --keep and has reached all clones', async () => {
    await central.query(`update test.place set name = 'old'`);
    await age(central, 400);
    await central.query(`update test.place set name = 'recent' where id = 1`);
    for (const each of world.clones) await sync(each);

    expect(await prune('--keep', '365d')).toEqual({ removed: 4, expired: [], held_back_by: null, dry_run: false });
    expect([await events(central), await statements(central)]).toEqual([1, 1]);
    expect(await prune('--keep', '365d')).toMatchObject({ removed: 0 });
    await expectEqual();
  });

  it('keeps what arrived recently, however long ago it was made', async () => {
    await clone.query(`update test.place set name = 'made offline'`);
    await age(clone, 400);
    await central.query(`update test.place set name = 'recent' where id = 1`);
    for (const each of world.clones) await sync(each);
    for (const each of world.clones) await sync(each);
    expect(await prune('--keep', '365d')).toMatchObject({ removed: 0 });
  });

  it('never removes what a clone still needs, and says which one', async () => {
    await central.query(`update test.place set name = 'old'`);
    await age(central, 400);
    await sync(clone);
    expect(await prune('--keep', '365d')).toMatchObject({
      removed: 0,
      held_back_by: { name: 'clone2', last_synchronised_at: null },
    });
    const { stdout } = await runLizsync(['prune', '--central', central.url, '--keep', '365d']);
    expect(stdout).toContain('kept for clone2, which has never synchronised');

    await sync(other);
    expect(await other.value(`select count(*)::integer from test.place where name = 'old'`)).toBe(4);
    expect(await prune('--keep', '365d')).toMatchObject({ removed: 4, held_back_by: null });
    await expectEqual();
  });

  it('keeps what a clone has that did not commit its half of the last sync', async () => {
    await central.query(`update test.place set name = 'old'`);
    await age(central, 400);
    await sync(other);
    const caller = await clone.connect();
    await caller.query('begin');
    await caller.query('select lizsync.synchronize()');
    await caller.query('rollback');
    expect(await prune('--keep', '365d')).toMatchObject({ removed: 0, held_back_by: { name: 'clone1' } });
    await expectEqual();
  });

  it('does nothing with --dry-run but say what it would do', async () => {
    await central.query(`update test.place set name = 'old'`);
    await age(central, 400);
    await sync(clone);
    await stayAway('clone2', 100);
    expect(await prune('--keep', '365d', '--expire', '90d', '--dry-run')).toMatchObject({
      removed: 4,
      expired: [{ name: 'clone2', last_synchronised_at: null }],
      dry_run: true,
    });
    expect(await events(central)).toBe(4);
    await expectEqual();
  });

  it('refuses a clone, and an age that is none', async () => {
    const refused = await runLizsync(['prune', '--central', clone.url, '--keep', '1d']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('not a central but a clone') });
    const age = await runLizsync(['prune', '--central', central.url, '--keep', '1 month']);
    expect(age).toMatchObject({ code: 2, stderr: expect.stringContaining('hint: ') });
  });

  it('makes packages unusable that are older than what was removed: deploying one is refused', async () => {
    const archive = await pack();
    await central.query(`update test.place set name = 'after the package'`);
    await age(central, 400);
    for (const each of world.clones) await sync(each);
    await prune('--keep', '365d');

    const database = await createDatabase(getCloneServer(), { name: 'late' });
    const central_ = toSettings(central.url);
    await expect(deploy({ archive, central: central_, clone: toSettings(database.url) })).rejects.toThrow(
      'the package is too old',
    );
    await deploy({ archive: await pack(), central: central_, clone: toSettings(database.url), name: 'late' });
    world.clones.push(database);
    await expectEqual();
  });
});

describe('a clone that stayed away for longer than --expire (behaviour 14)', () => {
  beforeEach(async () => {
    await central.query(`update test.place set name = 'central' where id < 3`);
    await age(central, 400);
    await sync(other);
    await stayAway('clone1', 100);
    expect(await prune('--keep', '365d', '--expire', '90d')).toMatchObject({
      removed: 2,
      expired: [{ name: 'clone1', last_synchronised_at: null }],
      held_back_by: null,
    });
  });

  it.each(transports)(
    'still sends its own changes, and is told that it needs a new package (%s)',
    async (transport) => {
      await clone.query(`insert into test.place (id, name) values (20, 'of the clone')`);
      await expect(sync(clone, transport)).rejects.toThrow('clone1 was away for too long');
      expect(await central.value('select name from test.place where id = 20')).toBe('of the clone');
      expect(await clone.value('select name from test.place where id = 1')).toBe('name 1');

      // and again: nothing arrives twice, and nothing is forgotten
      await clone.query(`update test.place set name = 'more' where id = 20`);
      await expect(sync(clone, transport)).rejects.toThrow('clone1 was away for too long');
      expect(await central.value('select name from test.place where id = 20')).toBe('more');
    },
  );

  it('ends with 1 and says what to do', async () => {
    const result = await runLizsync(['sync', '--clone', clone.url, '--central', central.url]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('The changes of the clone have been sent.');
    expect(result.stderr).toContain('hint: Make a new package');
  });

  it('goes on like any other once a new package is deployed to it', async () => {
    await clone.query(`insert into test.place (id, name) values (20, 'of the clone')`);
    await expect(sync(clone)).rejects.toThrow('clone1 was away for too long');
    const archive = await pack();
    await deploy({ archive, central: toSettings(central.url), clone: toSettings(clone.url), name: 'clone1' });
    await expectEqual();
    expect(await prune('--keep', '365d', '--expire', '90d')).toMatchObject({ expired: [] });
    expect(await central.value('select name from test.place where id = 20')).toBe('of the clone');
  });

  it('has a change held when the log does not say any more whether it is the later one', async () => {
    await clone.query(`update test.place set name = 'perhaps older' where id = 1`);
    await clone.query(`update test.place set name = 'no conflict' where id = 4`);
    await age(clone, 500);
    await clone.query(`update test.place set name = 'certainly later' where id = 2`);
    await clone.query(`delete from test.place where id = 3`);
    await expect(sync(clone)).rejects.toThrow('clone1 was away for too long');
    expect(await central.query('select id, name from test.place order by id')).toEqual([
      { id: 1, name: 'central' },
      { id: 2, name: 'certainly later' },
      { id: 4, name: 'name 4' },
    ]);
    const held = await runLizsync(['held', '--central', central.url]);
    expect(held.code).toBe(3);
    expect(held.stdout).toContain('name = "perhaps older"');
    expect(held.stdout).toContain('the log does not say any more');

    // deploying the clone again does not make the question easier
    const archive = await pack();
    await deploy({ archive, central: toSettings(central.url), clone: toSettings(clone.url), name: 'clone1' });
    await sync(clone);
    expect(await central.value('select count(*)::integer from lizsync.held_changes')).toBe(2);
    const ids = await central.query<{ held_id: string }>('select held_id from lizsync.held_changes');
    for (const { held_id } of ids) {
      const discard = ['held', 'discard', held_id, '--central', central.url, '--yes'];
      expect(await runLizsync(discard)).toMatchObject({ code: 0 });
    }
    await expectEqual();
  });
});
