import { beforeEach, describe, expect, it } from 'vitest';
import { createRole, type TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, transports } from '../support/link.js';

const tables = `
  create schema test;
  create table test.reading (id integer, day date, value integer, note text, primary key (id, day)) partition by range (day);
  create table test.reading_2025 partition of test.reading for values from ('2025-01-01') to ('2026-01-01');
  insert into test.reading values (1, '2025-03-01', 1), (2, '2025-04-01', 2);
`;
const partition2026 = `
  create table test.reading_2026 partition of test.reading for values from ('2026-01-01') to ('2027-01-01');`;

let world: LinkedDatabases;
let central: TestDatabase;
let clone: TestDatabase;

beforeEach(async () => {
  world = await linkDatabases(tables);
  central = world.central;
  clone = world.clones[0] as TestDatabase;
});

/** The same new partition on both sides, which no sync has seen yet. */
async function addPartition(): Promise<void> {
  for (const database of [central, clone]) await database.query(partition2026);
}

function rows(database: TestDatabase): Promise<unknown[]> {
  return database.query('select id, day::text, value, note from test.reading order by id');
}

/** Everything that the log says, in the order of the events. */
function log(database: TestDatabase): Promise<string[]> {
  return database
    .query<{ event: string }>(
      `select concat_ws(' ', action, coalesce(old_values -> 'id', ''), new_values::text) as event
       from audit.logged_actions order by event_id`,
    )
    .then((found) => found.map(({ event }) => event));
}

async function expectEqual(): Promise<void> {
  expect(await world.sync(clone)).toMatchObject({ held: 0 });
  expect(await world.contents(clone)).toEqual(await world.contents(central));
  expect(await world.sync(clone)).toMatchObject({ pushed: 0, pulled: 0, held: 0 });
  expect(await world.contents(clone)).toEqual(await world.contents(central));
}

/** Whether the partition has what those have that were there from the beginning. */
function isAdopted(database: TestDatabase): Promise<boolean> {
  return database.value(`
    select not audit.is_new_partition('test.reading_2026') and lizsync.has_unique_uid('test.reading_2026')`);
}

describe('a partition that was added after the tables were prepared', () => {
  it.each(transports)('is logged from its first row on, whichever table a statement names (%s)', async (transport) => {
    await addPartition();
    for (const [database, first] of [[clone, 10] as const, [central, 20] as const]) {
      await database.query(
        `insert into test.reading_2026 values (${first}, '2026-01-01', 1), (${first + 1}, '2026-01-02', 2)`,
      );
      await database.query(
        `insert into test.reading values (${first + 2}, '2026-01-03', 3), (${first + 3}, '2025-01-03', 4)`,
      );
      await database.query(`update test.reading_2026 set value = 100, note = 'direct' where id = ${first}`);
      await database.query(`update test.reading set value = 200 where id in (${first + 2}, ${first + 3})`);
      await database.query(`delete from test.reading_2026 where id = ${first + 1}`);
    }
    expect(await world.sync(clone, transport)).toMatchObject({ held: 0 });
    expect(await rows(central)).toEqual([
      { id: 1, day: '2025-03-01', value: 1, note: null },
      { id: 2, day: '2025-04-01', value: 2, note: null },
      { id: 10, day: '2026-01-01', value: 100, note: 'direct' },
      { id: 12, day: '2026-01-03', value: 200, note: null },
      { id: 13, day: '2025-01-03', value: 200, note: null },
      { id: 20, day: '2026-01-01', value: 100, note: 'direct' },
      { id: 22, day: '2026-01-03', value: 200, note: null },
      { id: 23, day: '2025-01-03', value: 200, note: null },
    ]);
    await expectEqual();
  });

  it('has each change in the log once, also where statements through the root and direct ones share a transaction', async () => {
    await central.query(partition2026);
    const client = await central.connect();
    await client.query('begin');
    await client.query(`insert into test.reading values (10, '2026-01-01', 1), (11, '2025-01-02', 2)`);
    await client.query(`insert into test.reading_2026 values (12, '2026-01-03', 3)`);
    await client.query(`update test.reading set value = value + 10 where id >= 10`);
    await client.query(`update test.reading_2026 set note = 'direct' where id >= 10`);
    await client.query(`delete from test.reading where id in (10, 11)`);
    await client.query('commit');
    expect((await log(central)).toSorted()).toEqual([
      'D 10',
      'D 11',
      'I  "id"=>"10", "day"=>"2026-01-01", "note"=>NULL, "value"=>"1"',
      'I  "id"=>"11", "day"=>"2025-01-02", "note"=>NULL, "value"=>"2"',
      'I  "id"=>"12", "day"=>"2026-01-03", "note"=>NULL, "value"=>"3"',
      'U  "note"=>"direct"',
      'U  "note"=>"direct"',
      'U  "value"=>"11"',
      'U  "value"=>"12"',
      'U  "value"=>"13"',
    ]);
    // one line for each statement, not for each row
    expect(await central.value('select count(*)::integer from audit.logged_statements')).toBeLessThanOrEqual(8);
    await clone.query(partition2026);
    await expectEqual();
  });

  it('is logged when a statement writes to it and to the root at the same time', async () => {
    await addPartition();
    await central.query(`
      with direct as (insert into test.reading_2026 values (10, '2026-01-01', 1) returning 1)
      insert into test.reading values (11, '2026-01-02', 2), (12, '2025-01-02', 2)`);
    await central.query(`
      create function test.add() returns integer language plpgsql as
        'begin insert into test.reading_2026 values (20, ''2026-02-01'', 1); return 21; end'`);
    await central.query(`insert into test.reading values (test.add(), '2026-02-02', 2)`);
    expect(await log(central)).toHaveLength(5);
    await expectEqual();
    expect(await clone.value('select count(*)::integer from test.reading_2026')).toBe(4);
  });

  it('takes part in rows that move to it, from it, and between two of its kind', async () => {
    for (const database of [central, clone]) {
      await database.query(partition2026);
      await database.query(`
        create table test.reading_2027 partition of test.reading for values from ('2027-01-01') to ('2028-01-01')`);
    }
    for (const database of [clone, central]) {
      const first = database === clone ? 10 : 20;
      await database.query(
        `insert into test.reading values (${first}, '2026-01-01', 1), (${first + 1}, '2025-01-01', 1)`,
      );
      await database.query(`update test.reading set day = '2025-06-01', value = 5 where id = ${first}`);
      await database.query(`update test.reading set day = '2026-06-01', value = 6 where id = ${first + 1}`);
      await database.query(`update test.reading set day = '2027-06-01', note = 'again' where id = ${first + 1}`);
      await database.query(`insert into test.reading values (${first + 2}, '2026-01-01', 1)`);
      await database.query(`update test.reading set day = day + interval '1 year' where id = ${first + 2}`);
    }
    await expectEqual();
    expect(await rows(clone)).toEqual([
      { id: 1, day: '2025-03-01', value: 1, note: null },
      { id: 2, day: '2025-04-01', value: 2, note: null },
      { id: 10, day: '2025-06-01', value: 5, note: null },
      { id: 11, day: '2027-06-01', value: 6, note: 'again' },
      { id: 12, day: '2027-01-01', value: 1, note: null },
      { id: 20, day: '2025-06-01', value: 5, note: null },
      { id: 21, day: '2027-06-01', value: 6, note: 'again' },
      { id: 22, day: '2027-01-01', value: 1, note: null },
    ]);
  });

  it.each(['a_first', 'z_last'])("follows what users' triggers change in the same row (trigger %s)", async (name) => {
    for (const database of [central, clone]) {
      await database.query(partition2026);
      await database.query(`
        create function test.raise() returns trigger language plpgsql as
          'begin
             update test.reading set value = value + 100 where id = new.id and value < 100;
             update test.reading_2026 set note = ''touched'' where id = new.id and note is null;
             return null;
           end';
        create trigger ${name} after insert or update on test.reading for each row execute function test.raise()`);
    }
    await central.query(`insert into test.reading_2026 values (10, '2026-01-01', 1)`);
    await central.query(`insert into test.reading values (11, '2026-01-01', 2)`);
    await clone.query(`insert into test.reading values (20, '2026-01-01', 1)`);
    await clone.query(`update test.reading_2026 set value = 3, note = null where id = 20`);
    await expectEqual();
    expect(await rows(central)).toEqual([
      { id: 1, day: '2025-03-01', value: 1, note: null },
      { id: 2, day: '2025-04-01', value: 2, note: null },
      { id: 10, day: '2026-01-01', value: 101, note: 'touched' },
      { id: 11, day: '2026-01-01', value: 102, note: 'touched' },
      { id: 20, day: '2026-01-01', value: 103, note: 'touched' },
    ]);
  });

  it('loses its rows everywhere when the root is truncated', async () => {
    await addPartition();
    await central.query(`insert into test.reading_2026 values (10, '2026-01-01', 1)`);
    await expectEqual();
    await central.query(`
      create table test.reading_2027 partition of test.reading for values from ('2027-01-01') to ('2028-01-01')`);
    await central.query(`insert into test.reading values (11, '2027-01-01', 1)`);
    await central.query('truncate test.reading');
    expect((await log(central)).filter((event) => event.startsWith('D')).toSorted()).toEqual([
      'D 1',
      'D 10',
      'D 11',
      'D 2',
    ]);
    await expectEqual();
    expect(await rows(clone)).toEqual([]);
  });

  it('gets what the others have with the next sync, and is cheap from then on', async () => {
    await addPartition();
    await central.query(`insert into test.reading_2026 values (10, '2026-01-01', 1)`);
    expect([await isAdopted(central), await isAdopted(clone)]).toEqual([false, false]);
    await expectEqual();
    expect([await isAdopted(central), await isAdopted(clone)]).toEqual([true, true]);
    await central.query(`insert into test.reading_2026 values (11, '2026-01-01', 1), (12, '2026-01-01', 1)`);
    await central.query(`update test.reading set note = 'root' where id > 10`);
    // ids of statements that were logged row by row are negative
    expect(await central.value(`select count(*)::integer from audit.logged_actions where statement_id < 0`)).toBe(1);
    await expectEqual();
  });

  it('waits for the next sync when somebody uses it for long; nothing is lost by that', async () => {
    await addPartition();
    const busy = await central.connect();
    await busy.query('begin');
    await busy.query(`insert into test.reading_2026 values (10, '2026-01-01', 1)`);
    await central.query(`insert into test.reading values (11, '2026-01-01', 1)`);
    expect(await world.sync(clone)).toMatchObject({ pulled: 1, held: 0 });
    expect(await isAdopted(central)).toBe(false);
    await busy.query('commit');
    await expectEqual();
    expect(await isAdopted(central)).toBe(true);
    expect(await clone.value('select count(*)::integer from test.reading_2026')).toBe(2);
  });

  it('is adopted within the transaction of a caller that has written to it', async () => {
    await addPartition();
    const caller = await clone.connect();
    await caller.query('begin');
    await caller.query(`insert into test.reading_2026 values (10, '2026-01-01', 1)`);
    await caller.query('select lizsync.synchronize()');
    await caller.query('commit');
    await expectEqual();
    expect(await central.value('select count(*)::integer from test.reading_2026')).toBe(1);
  });

  it('may have partitions itself', async () => {
    for (const database of [central, clone]) {
      await database.query(`
        create table test.reading_2026 partition of test.reading for values from ('2026-01-01') to ('2027-01-01')
          partition by range (id);
        create table test.reading_2026_low partition of test.reading_2026 for values from (0) to (100)`);
    }
    await central.query(`insert into test.reading values (10, '2026-01-01', 1)`);
    await central.query(`insert into test.reading_2026 values (11, '2026-01-01', 1)`);
    await central.query(`insert into test.reading_2026_low values (12, '2026-01-01', 1)`);
    await expectEqual();
    // a leaf that is added below an adopted partition is new again
    for (const database of [central, clone]) {
      await database.query(
        `create table test.reading_2026_high partition of test.reading_2026 for values from (100) to (200)`,
      );
    }
    await clone.query(`insert into test.reading_2026_high values (110, '2026-01-01', 1)`);
    await clone.query(`insert into test.reading_2026 values (111, '2026-01-01', 1)`);
    await clone.query(`update test.reading_2026 set id = id + 150 where id < 20`);
    await clone.query(`update test.reading_2026 set value = 7`);
    await expectEqual();
    expect(await central.value('select count(*)::integer from test.reading_2026_high where value = 7')).toBe(5);
  });

  it('of which the other side has none is held there, and goes through once it is added', async () => {
    await central.query(partition2026);
    await central.query(`insert into test.reading_2026 values (10, '2026-01-01', 1)`);
    expect(await world.sync(clone)).toMatchObject({ held: 1 });
    await clone.query(partition2026);
    await world.sync(clone);
    await expectEqual();
    expect(await clone.value('select count(*)::integer from test.reading_2026')).toBe(1);
  });

  it('that its owner keeps from lizsync is refused with the command that helps', async () => {
    const owner = await createRole(central.server);
    const keeper = await createRole(central.server);
    await central.query(`
      create table test.reading_2026 (like test.reading including all);
      alter table test.reading_2026 owner to ${owner.name};
      alter table test.reading attach partition test.reading_2026 for values from ('2026-01-01') to ('2027-01-01')`);
    await central.query(`grant usage on schema audit, lizsync to ${keeper.name}`);
    await central.query(`grant all on all tables in schema audit, lizsync to ${keeper.name}`);
    await central.query(`grant execute on all functions in schema audit, lizsync to ${keeper.name}`);
    const client = await central.connect({ connectionString: keeper.urlFor(central) });
    await expect(client.query('select lizsync.adopt_partitions()')).rejects.toMatchObject({
      code: 'LZ001',
      message: expect.stringContaining('test.reading_2026 of test.reading was added, and cannot be synchronised yet'),
      hint: expect.stringContaining(`alter table test.reading_2026 owner to ${keeper.name}`),
    });
    await client.end();
    await central.query(`drop owned by ${keeper.name}`);
    await central.query(`alter table test.reading_2026 owner to current_user`);
  });
});

describe('a partition that is attached', () => {
  const attach = `alter table test.reading attach partition test.reading_2026 for values from ('2026-01-01') to ('2027-01-01')`;

  it('brings its rows along', async () => {
    await clone.query(partition2026);
    await central.query(`
      create table test.reading_2026 (like test.reading including all);
      insert into test.reading_2026 values (10, '2026-01-01', 1), (11, '2026-01-02', 1)`);
    await central.query(attach);
    await central.query(`update test.reading_2026 set value = 5 where id = 11`);
    await central.query(`insert into test.reading values (12, '2026-01-02', 1)`);
    expect(await world.sync(clone)).toMatchObject({ pulled: 3, held: 0 });
    await expectEqual();
  });

  it('again is sent as it is now, and takes nothing from changes that others made', async () => {
    await addPartition();
    await central.query(`insert into test.reading_2026 values (10, '2026-01-01', 1), (11, '2026-01-02', 1)`);
    await expectEqual();
    await central.query('alter table test.reading detach partition test.reading_2026');
    await central.query(`update test.reading_2026 set value = 50 where id = 10`);
    await central.query(`insert into test.reading_2026 values (12, '2026-01-03', 1)`);
    await central.query(attach);
    await clone.query(`update test.reading set note = 'of the clone', value = 60 where id = 11`);
    await expectEqual();
    expect(await clone.query('select id, value, note from test.reading_2026 order by id')).toEqual([
      { id: 10, value: 50, note: null },
      { id: 11, value: 60, note: 'of the clone' },
      { id: 12, value: 1, note: null },
    ]);
  });
});

describe('a partition that is detached', () => {
  it('is not synchronised any more, whether it was adopted or not', async () => {
    for (const round of [1, 2]) {
      if (round === 2) await addPartition();
      const table = round === 1 ? 'test.reading_2025' : 'test.reading_2026';
      for (const database of [central, clone]) {
        await database.query(`alter table test.reading detach partition ${table}`);
      }
      const before = await log(central);
      await central.query(`insert into ${table} values (90, '2030-01-01', 1)`);
      await central.query(`update ${table} set value = 9`);
      await central.query(`delete from ${table} where id = 90`);
      await central.query(`truncate ${table}`);
      expect(await log(central)).toEqual(before);
      expect(await world.sync(clone)).toMatchObject({ pushed: 0, pulled: 0, held: 0 });
      expect(await clone.value(`select count(*)::integer from ${table}`)).toBe(round === 1 ? 2 : 0);
    }
  });
});
