import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LinkedDatabases, linkDatabases, transports } from '../support/link.js';

const tables = `
  create schema test;
  create table test.a (id integer primary key, name text, note text);
  create table test.b (id integer primary key, name text);
  create table test.child (id integer primary key, a integer references test.a);
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
      details: ['test.a\ntest.b\ntest.child'],
    });
  });
});
