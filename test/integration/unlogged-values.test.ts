import { describe, expect, test } from 'vitest';
import { linkDatabases, transports } from '../support/link.js';

/** A value of 73 MB whose text has 587 MB, and no more memory or disk than that: nothing is as fast to make. */
const largeMask = Array(7).fill(`b'1'::bit(83886080)::bit varying`).join(' || ');

const tables = `
  create schema test;
  create table test.area (id integer primary key, mask bit varying, note text, checked boolean, code char(4));
  create table test.place (id integer primary key, name text);
  create table test.visit (id integer, year integer, mask bit varying, note text, primary key (id, year)) partition by list (year);
  create table test.visit_2024 partition of test.visit for values in (2024);
  insert into test.area select i, b'101', 'note ' || i, true, 'ab' from generate_series(1, 3) as i;
  insert into test.place values (1, 'first')`;

describe('values that are too large for the log', () => {
  test('never break a write, keep their row from being carried until they are smaller or gone, and are named meanwhile', async () => {
    const link = await linkDatabases(tables);
    const { central, sync } = link;
    const [clone] = link.clones;
    if (clone === undefined) throw new Error('no clone');
    const uid = await clone.value<string>('select uid from test.area where id = 1');

    await clone.query(`update test.area set mask = ${largeMask}, note = 'large' where id = 1`);
    await clone.query(`insert into test.area select 4, mask, 'new and large', false, 'cd' from test.area where id = 1`);
    // one column of a row with a large value is a small change
    await clone.query(`update test.area set note = note || ', changed', checked = not checked where id in (1, 2, 4)`);
    await clone.query(`insert into test.place values (2, 'second')`);

    const other = await clone.value<string>('select uid from test.area where id = 4');
    for (const transport of transports) {
      await expect(sync(clone, transport)).rejects.toMatchObject({
        // the first of the two
        message: expect.stringContaining(
          `row ${[uid, other].sort()[0]} of test.area can't be carried: too large (mask)`,
        ),
        hint: expect.stringContaining('--exclude-columns'),
      });
    }
    expect(await central.value('select string_agg(note, $1 order by id) from test.area', ['; '])).toBe(
      'note 1; note 2; note 3',
    );
    expect(await sync(clone, 'cli', ['test.place'])).toMatchObject({ pushed: 1 });

    await clone.query(`update test.area set mask = b'11' where id = 1`);
    await expect(sync(clone)).rejects.toThrow('of test.area');
    await clone.query('delete from test.area where id = 4');
    expect(await sync(clone)).toMatchObject({ pushed: 2, pulled: 0, conflicts: 0, held: 0 });
    expect(await link.contents(central)).toEqual(await link.contents(clone));
    expect(await central.query('select id, mask::text, note, checked from test.area order by id')).toEqual([
      { id: 1, mask: '11', note: 'large, changed', checked: false },
      { id: 2, mask: '101', note: 'note 2, changed', checked: false },
      { id: 3, mask: '101', note: 'note 3', checked: true },
    ]);
  }, 300_000);

  test('are gone with their row, by DELETE, by TRUNCATE and in a partition that was just added', async () => {
    const link = await linkDatabases(tables);
    const { central, sync } = link;
    const [clone] = link.clones;
    if (clone === undefined) throw new Error('no clone');
    for (const database of [central, clone]) {
      await database.query('create table test.visit_2025 partition of test.visit for values in (2025)');
    }
    await central.query(
      `insert into test.visit_2025 values (1, 2025, ${largeMask}, 'large'), (2, 2025, b'1', 'small')`,
    );
    await central.query(`update test.visit_2025 set note = 'still large' where id = 1`);
    await expect(sync()).rejects.toThrow(/of test\.visit can't be carried: too large \(mask\)/);
    await central.query('delete from test.visit_2025 where id = 1');
    await central.query(`update test.area set mask = ${largeMask} where id = 1`);
    await central.query('truncate test.area');
    expect(await sync()).toMatchObject({ pushed: 0, pulled: 4, held: 0 });
    expect(await link.contents(clone)).toEqual(await link.contents(central));
    expect(
      await central.query(`
        select action::text, unlogged_columns, akeys(old_values) as old, akeys(new_values) as new
        from audit.logged_actions where unlogged_columns is not null order by event_id`),
    ).toEqual([
      { action: 'I', unlogged_columns: ['mask'], old: null, new: ['id', 'mask', 'note', 'year'] },
      { action: 'D', unlogged_columns: ['mask'], old: ['id', 'note', 'year'], new: null },
      { action: 'U', unlogged_columns: ['mask'], old: ['mask'], new: ['mask'] },
      { action: 'D', unlogged_columns: ['mask'], old: ['id', 'code', 'note', 'checked'], new: null },
    ]);
  }, 300_000);
});
