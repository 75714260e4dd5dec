import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, transports } from '../support/link.js';

const tables = `
  create schema test;
  create table test.a (id integer primary key, name text, note text);
  create table test.b (id integer primary key, name text);
  create table test.child (id integer primary key, a integer references test.a);
  create table test.fragile (id integer primary key, a integer references test.a on delete cascade, name text unique);
  create table test.loose (id integer primary key, a integer references test.a on delete set null);
  create table test.grandchild (id integer primary key, fragile integer references test.fragile);
`;

describe.each(transports)('Synchronising some tables by %s', (transport) => {
  let link: LinkedDatabases;

  beforeAll(async () => {
    link = await linkDatabases(tables, { cloneCount: 2 });
  });

  beforeEach(async () => {
    await link.reset(`insert into test.a values (1, 'one'), (2, 'two'); insert into test.b values (1, 'one')`);
  });

  test('carries their changes both ways, and those of the others with the next sync of all, each once', async () => {
    const { central, clones, sync, contents } = link;
    const [clone, other] = clones;
    if (!clone || !other) throw new Error('two clones are needed');
    await clone.query(`update test.a set name = 'clone' where id = 1; update test.b set name = 'clone'`);
    await central.query(`update test.a set name = 'central' where id = 2; insert into test.b values (2, 'two')`);
    expect(await sync(clone, transport, ['test.a'])).toMatchObject({ pushed: 1, pulled: 1, conflicts: 0, held: 0 });
    expect(await central.query('select id, name from test.a order by id')).toEqual([
      { id: 1, name: 'clone' },
      { id: 2, name: 'central' },
    ]);
    expect(await central.value('select name from test.b where id = 1')).toBe('one');
    expect(await clone.value('select count(*)::integer from test.b')).toBe(1);

    expect(await sync(clone, transport, ['test.a'])).toMatchObject({ pushed: 0, pulled: 0 });
    await clone.query(`update test.a set name = 'again' where id = 1`);
    expect(await sync(clone, transport)).toMatchObject({ pushed: 2, pulled: 1, conflicts: 0, held: 0 });
    expect(await sync(clone, transport)).toMatchObject({ pushed: 0, pulled: 0 });
    await sync(other, transport);
    expect(await contents(clone)).toEqual(await contents(central));
    expect(await contents(other)).toEqual(await contents(central));
  });

  test('knows what both sides had seen when it decides a conflict later', async () => {
    const { central, clones, sync, contents } = link;
    const [clone] = clones;
    if (!clone) throw new Error('a clone is needed');
    await central.query(`update test.a set name = 'central' where id = 1`);
    await sync(clone, transport, ['test.a']);
    // made after its author had seen the central's value: no conflict
    await clone.query(`update test.a set name = 'clone' where id = 1; update test.b set name = 'clone'`);
    await central.query(`update test.b set name = 'central'`);
    expect(await sync(clone, transport)).toMatchObject({ conflicts: 1 });
    expect(await central.value('select name from test.a where id = 1')).toBe('clone');
    expect(await contents(clone)).toEqual(await contents(central));
  });

  test('holds a row whose parent is in a table that was left out, until that arrives', async () => {
    const { central, clones, sync, contents } = link;
    const [clone] = clones;
    if (!clone) throw new Error('a clone is needed');
    await clone.query(`insert into test.a values (3, 'three'); insert into test.child values (1, 3)`);
    expect(await sync(clone, transport, ['test.child'])).toMatchObject({ pushed: 0, held: 1 });
    expect(await sync(clone, transport, ['test.b'])).toMatchObject({ held: 1 });
    expect(await sync(clone, transport)).toMatchObject({ held: 0 });
    expect(await contents(clone)).toEqual(await contents(central));
  });

  describe.each(['clone', 'central'])('that the %s has changed', (sending) => {
    const children = ['test.child', 'test.fragile', 'test.loose'];
    const insertChildren =
      'insert into test.child values (1, 2); insert into test.fragile values (1, 2); insert into test.loose values (1, 2)';

    /** The first is where people edit. */
    const order = (): [TestDatabase, TestDatabase, TestDatabase] => {
      const { central, clones } = link;
      const [clone] = clones;
      if (!clone) throw new Error('a clone is needed');
      return sending === 'clone' ? [clone, central, clone] : [central, clone, clone];
    };

    test('holds rows whose parent has taken over the key of a deleted one, until the table that was left out arrives', async () => {
      const { sync, contents } = link;
      const [sender, receiver, clone] = order();
      await sender.query('delete from test.a where id = 2');
      await sync(clone, transport);
      await sender.query(`insert into test.a values (2, 'another'); ${insertChildren}`);
      for (let time = 1; time <= 2; time += 1) {
        expect(await sync(clone, transport, children)).toMatchObject({ conflicts: 0, held: 3 });
        expect(await receiver.value('select count(*)::integer from test.a where id = 2')).toBe(0);
      }
      await receiver.query('select lizsync.retry_held_changes()');
      expect(await sync(clone, transport)).toMatchObject({ conflicts: 0, held: 0 });
      await sync(clone, transport);
      expect(await receiver.query('select p.name from test.fragile as c join test.a as p on p.id = c.a')).toEqual([
        { name: 'another' },
      ]);
      expect(await contents(receiver)).toEqual(await contents(sender));
    });

    test('holds rows whose parent has taken over a key that the receiver lost, and had told so', async () => {
      const { sync, contents } = link;
      const [sender, receiver, clone] = order();
      await receiver.query('delete from test.a where id = 2');
      // twice, because what the clone had received it tells with the next sync
      await sync(clone, transport, ['test.a']);
      await sync(clone, transport, ['test.a']);
      await sender.query(`insert into test.a values (2, 'another'); ${insertChildren}`);
      expect(await sync(clone, transport, children)).toMatchObject({ conflicts: 0, held: 3 });
      await receiver.query('select lizsync.retry_held_changes()');
      expect(await sync(clone, transport, children)).toMatchObject({ conflicts: 0, held: 3 });
      expect(await sync(clone, transport)).toMatchObject({ conflicts: 0, held: 0 });
      await sync(clone, transport);
      expect(await contents(receiver)).toEqual(await contents(sender));
    });

    test('holds the deletion of a parent whose children were given another one, until they arrive', async () => {
      const { sync, contents } = link;
      const [sender, receiver, clone] = order();
      await sender.query(insertChildren);
      await sync(clone, transport);
      await sender.query(`
        update test.child set a = 1; update test.fragile set a = 1; update test.loose set a = 1;
        delete from test.a where id = 2`);
      expect(await sync(clone, transport, ['test.a'])).toMatchObject({ conflicts: 0, held: 1 });
      await receiver.query('select lizsync.retry_held_changes()');
      expect(await receiver.query('select message from lizsync.held_changes')).toEqual([
        { message: expect.stringContaining('is still referenced from table') },
      ]);
      expect(await sync(clone, transport)).toMatchObject({ conflicts: 0, held: 0 });
      await sync(clone, transport);
      expect(await receiver.query('select a from test.fragile')).toEqual([{ a: 1 }]);
      expect(await contents(receiver)).toEqual(await contents(sender));
    });

    test('keeps a child that is held for another reason when its former parent is deleted', async () => {
      const { sync, contents } = link;
      const [sender, receiver, clone] = order();
      await sender.query(`insert into test.fragile values (1, 2, 'first')`);
      await sync(clone, transport);
      await receiver.query(`insert into test.fragile values (2, 1, 'taken')`);
      await sender.query(`update test.fragile set a = 1, name = 'taken' where id = 1; delete from test.a where id = 2`);
      await sync(clone, transport);
      expect(await receiver.query('select id, a from test.fragile order by id')).toEqual([
        { id: 1, a: 2 },
        { id: 2, a: 1 },
      ]);
      await receiver.query(`update test.fragile set name = 'free' where id = 2`);
      for (let time = 1; time <= 3; time += 1) await sync(clone, transport);
      expect(await receiver.query('select id, a, name from test.fragile order by id')).toEqual([
        { id: 1, a: 1, name: 'taken' },
        { id: 2, a: 1, name: 'free' },
      ]);
      expect(await contents(receiver)).toEqual(await contents(sender));
    });

    test('lets the foreign key decide what the sender could not know', async () => {
      const { sync, contents } = link;
      const [sender, receiver, clone] = order();
      await receiver.query('delete from test.a where id = 2');
      await sender.query(`insert into test.fragile values (1, 2); insert into test.loose values (1, 2)`);
      expect(await sync(clone, transport, sending === 'clone' ? children : undefined)).toMatchObject({ held: 0 });
      for (let time = 1; time <= 2; time += 1) expect(await sync(clone, transport)).toMatchObject({ held: 0 });
      expect(await receiver.query('select a from test.loose')).toEqual([{ a: null }]);
      expect(await receiver.query('select from test.fragile')).toEqual([]);
      expect(await contents(receiver)).toEqual(await contents(sender));
    });
  });

  test('brings back what a new grandchild needs, also when the clone holds the deletion of the grandparent', async () => {
    const { central, clones, sync, contents } = link;
    const [clone] = clones;
    if (!clone) throw new Error('a clone is needed');
    await central.query(`insert into test.fragile values (1, 2, 'between')`);
    await sync(clone, transport);
    await central.query('delete from test.a where id = 2');
    await clone.query('insert into test.grandchild values (1, 1)');
    expect(await sync(clone, transport, ['test.a'])).toMatchObject({ held: 1 });
    await sync(clone, transport);
    expect(await sync(clone, transport)).toMatchObject({ held: 0 });
    for (const database of [central, clone]) {
      expect(
        await database.query(`
          select g.id, f.name, a.name as a
          from test.grandchild as g
          left join test.fragile as f on f.id = g.fragile
          left join test.a on a.id = f.a`),
      ).toEqual([{ id: 1, name: 'between', a: 'two' }]);
    }
    expect(await contents(clone)).toEqual(await contents(central));
  });

  test('tables that are still equal are sent when another one was changed', async () => {
    const { central, clones, sync } = link;
    const [, clone] = clones;
    if (!clone) throw new Error('two clones are needed');
    await clone.query(`update test.a set note = 'sent'; update test.b set name = 'not sent'`);
    await central.query('alter table test.b rename name to label');
    try {
      await expect(sync(clone, transport)).rejects.toMatchObject({
        details: [expect.stringContaining('test.b: column label (text) is missing in the clone')],
        hint: expect.stringContaining('lizsync sync --tables'),
      });
      await expect(sync(clone, transport, ['test.b'])).rejects.toThrow('structure of central and clone differs');
      expect(await sync(clone, transport, ['test.a', 'test.child'])).toMatchObject({ pushed: 2, held: 0 });
      expect(await central.query('select distinct note from test.a')).toEqual([{ note: 'sent' }]);
    } finally {
      await central.query('alter table test.b rename label to name');
    }
    expect(await sync(clone, transport)).toMatchObject({ pushed: 1 });
    expect(await central.value('select name from test.b')).toBe('not sent');
  });

  test('a table that is not synchronised is refused, with those that are', async () => {
    await expect(link.sync(link.clones[0], transport, ['test.c'])).rejects.toMatchObject({
      message: expect.stringContaining('does not synchronise test.c'),
      details: ['test.a\ntest.b\ntest.child\ntest.fragile\ntest.grandchild\ntest.loose'],
    });
  });
});
