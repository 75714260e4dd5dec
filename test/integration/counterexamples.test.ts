import { describe, expect, test } from 'vitest';
import { type LinkedDatabases, linkDatabases } from '../support/link.js';

/** Synchronises all clones until nothing moves any more, and returns what they all have then. */
async function comeToRest(linked: LinkedDatabases): Promise<Record<string, unknown[]>> {
  for (let round = 0; round < 3; round += 1) {
    for (const clone of linked.clones) await linked.sync(clone);
  }
  const contents = await linked.contents(linked.central);
  for (const clone of linked.clones) expect(await linked.contents(clone)).toEqual(contents);
  return contents;
}

describe('Histories that the model test has found', () => {
  test('A row that RESTRICT brings back brings back the row whose deletion would cascade to it', async () => {
    const linked = await linkDatabases(`
      create schema test;
      create table test.parent (id integer primary key);
      create table test.child (id integer primary key, parent integer references test.parent on delete cascade);
      create table test.grandchild (id integer primary key, child integer references test.child on delete restrict);
      insert into test.parent values (1);
      insert into test.child values (1, 1);
    `);
    const [clone] = linked.clones;
    await linked.central.query('delete from test.parent');
    await clone?.query('insert into test.grandchild values (1, 1)');
    const contents = await comeToRest(linked);
    expect(Object.values(contents).map((rows) => rows.length)).toEqual([1, 1, 1]);
  });

  test('A held value that was overwritten at its sender meanwhile is recorded when a delete takes its place', async () => {
    const linked = await linkDatabases(`
      create schema test;
      create table test.item (id integer primary key, code text unique, a text);
      insert into test.item values (1, 'one', 'start'), (2, 'two', 'start');
    `);
    const [clone] = linked.clones;
    if (!clone) throw new Error('there is no clone');
    // the clone can't take the code, so that the whole change is held there; the central believes it has seen it
    await clone.query(`update test.item set code = 'new' where id = 2`);
    await linked.central.query(`update test.item set code = 'new', a = 'held' where id = 1`);
    await linked.sync(clone);
    expect(await clone.query('select a from test.item where id = 1')).toEqual([{ a: 'start' }]);
    await clone.query(`update test.item set a = 'of the clone' where id = 1`);
    // only the first half: the held change is not tried again
    const caller = await clone.connect();
    await caller.query('begin; select * from lizsync.synchronize(); rollback');
    expect(await linked.central.query('select a from test.item where id = 1')).toEqual([{ a: 'of the clone' }]);
    await linked.central.query('delete from test.item where id = 1');
    await comeToRest(linked);
    const losers = await clone.query(`
      select kind, losing_values::text as lost, winning_values::text as won from lizsync.conflicts order by conflict_id`);
    expect(losers).toContainEqual({ kind: 'update_update', lost: '"a"=>"held"', won: '"a"=>"of the clone"' });
  });

  test.each([
    ['deleted there', 'delete from test.kind', [{ kind: null }]],
    ['given another key there', `update test.kind set code = 'later'`, [{ kind: 'later' }]],
  ])('A child of a row that was given a new key, and %s, is not held for ever', async (_, change, expected) => {
    const linked = await linkDatabases(`
      create schema test;
      create table test.kind (code text primary key);
      create table test.item (
        id integer primary key, kind text references test.kind on update cascade on delete set null
      );
      insert into test.kind values ('old');
      insert into test.item values (1, 'old');
    `);
    const [clone] = linked.clones;
    await linked.central.query('update test.item set kind = null');
    await clone?.query(`update test.kind set code = 'new'`);
    await linked.central.query(change);
    await comeToRest(linked);
    expect(await linked.central.query('select kind from test.item')).toEqual(expected);
    expect(await linked.central.query('select from lizsync.held_changes')).toEqual([]);
  });

  test('Children that need two keys of one row at the same time end in a held change, not in an endless sync', async () => {
    const linked = await linkDatabases(`
      create schema test;
      create table test.kind (code text primary key);
      create table test.item (id integer primary key, kind text references test.kind);
      insert into test.kind values ('old');
    `);
    const [clone] = linked.clones;
    await linked.central.query(`update test.kind set code = 'new'; insert into test.item values (1, 'new')`);
    await clone?.query(`insert into test.item values (2, 'old')`);
    // in the central the child of the old key, in the clone the new key and its child
    expect(await linked.sync(clone)).toMatchObject({ held: 3 });
    expect(await linked.central.query('select id, kind from test.item')).toEqual([{ id: 1, kind: 'new' }]);
    expect(await linked.sync(clone)).toMatchObject({ pushed: 0, pulled: 0, conflicts: 0, held: 3 });
    await linked.central.query(`insert into test.kind values ('old')`);
    await comeToRest(linked);
    expect(await linked.central.query('select id, kind from test.item order by id')).toHaveLength(2);
  });
});
