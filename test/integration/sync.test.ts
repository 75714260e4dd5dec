import { beforeAll, describe, expect, it } from 'vitest';
import type { SynchronizeResult } from '../../src/core/sync.js';
import type { TestDatabase } from '../support/database.js';
import { type LinkedDatabases, linkDatabases, type Transport, transports } from '../support/link.js';
import { describeWithPostgis } from '../support/requirements.js';
import { getCloneServer, getTestServer } from '../support/server.js';
import { expectConvergence } from '../support/synchronised.js';

interface Tables {
  /** SQL that creates them. */
  tables: string;
  /** SQL that fills them. */
  rows: string;
}

const places: Tables = {
  tables: `
  create schema test;
  create table test.place (
    id integer primary key,
    name text,
    note text,
    code text unique,
    height numeric check (height < 5000)
  );`,
  rows: `insert into test.place (id, name, note, code) select n, 'name ' || n, 'note ' || n, 'c' || n from generate_series(1, 6) as n`,
};

/** Who changes something first, before the other side has seen it. */
type Direction = 'clone to central' | 'central to clone';

/** Runs a check in both directions and through both transports: `sender` is the side whose change is the one carried. */
function inAllWays(
  title: string,
  { tables, rows }: Tables,
  check: (
    world: LinkedDatabases & {
      sender: TestDatabase;
      receiver: TestDatabase;
      synchronise(): Promise<SynchronizeResult>;
      direction: Direction;
    },
  ) => Promise<void>,
): void {
  describe(title, () => {
    let world: LinkedDatabases;
    beforeAll(async () => {
      world = await linkDatabases(tables);
    });
    const ways = (['clone to central', 'central to clone'] as Direction[]).flatMap((direction) =>
      transports.map((transport) => [direction, transport] as const),
    );
    it.each(ways)('%s, %s', async (direction: Direction, transport: Transport) => {
      await world.reset(rows);
      const clone = world.clones[0] as TestDatabase;
      const [sender, receiver] = direction === 'clone to central' ? [clone, world.central] : [world.central, clone];
      await check({ ...world, sender, receiver, direction, synchronise: () => world.sync(clone, transport) });
      await expectConvergence(world);
    });
  });
}

async function link({ tables, rows }: Tables, options: { cloneCount?: number } = {}): Promise<LinkedDatabases> {
  return await linkDatabases(`${tables}; ${rows}`, options);
}

function conflictsOf(database: TestDatabase): Promise<Record<string, unknown>[]> {
  return database.query(`
    select kind, winning_values::text as winning, losing_values::text as losing from lizsync.conflicts order by conflict_id`);
}

describe('a sync carries (behaviour 4)', () => {
  inAllWays('inserts, updates and deletes', places, async ({ sender, receiver, synchronise, direction }) => {
    await sender.query(`insert into test.place (id, name) values (10, 'new'), (11, null)`);
    await sender.query(`update test.place set name = 'changed', note = null where id = 1`);
    await sender.query('delete from test.place where id = 2');

    const result = await synchronise();

    expect(result).toMatchObject({
      pushed: direction === 'clone to central' ? 4 : 0,
      pulled: direction === 'clone to central' ? 0 : 4,
      conflicts: 0,
      held: 0,
    });
    expect(
      await receiver.query('select id, name, note from test.place where id in (1, 2, 10, 11) order by id'),
    ).toEqual([
      { id: 1, name: 'changed', note: null },
      { id: 10, name: 'new', note: null },
      { id: 11, name: null, note: null },
    ]);
  });

  inAllWays('a row deleted and inserted again as one row', places, async ({ sender, receiver, synchronise }) => {
    const uid = await sender.value<string>('select uid from test.place where id = 1');
    await sender.query('delete from test.place where id = 1');
    await sender.query(`insert into test.place (uid, id, name) values ($1, 1, 'again')`, [uid]);
    await synchronise();
    expect(await receiver.query('select name, note from test.place where id = 1')).toEqual([
      { name: 'again', note: null },
    ]);
  });

  inAllWays(
    'many changes of one row as their net effect',
    places,
    async ({ sender, receiver, synchronise, direction }) => {
      for (let n = 0; n < 20; n += 1) await sender.query('update test.place set name = $1 where id = 3', [`step ${n}`]);
      const { pushed, pulled } = await synchronise();
      expect(direction === 'clone to central' ? pushed : pulled).toBe(1);
      expect(await receiver.value('select name from test.place where id = 3')).toBe('step 19');
    },
  );

  inAllWays('unique values that two rows have exchanged', places, async ({ sender, receiver, synchronise }) => {
    await sender.query(`
      begin;
      update test.place set code = 'between' where id = 1;
      update test.place set code = 'c1' where id = 2;
      update test.place set code = 'c2' where id = 1;
      commit`);
    expect(await synchronise()).toMatchObject({ held: 0 });
    expect(await receiver.query('select code from test.place where id < 3 order by id')).toEqual([
      { code: 'c2' },
      { code: 'c1' },
    ]);
  });

  inAllWays('primary keys that changed', places, async ({ sender, receiver, synchronise }) => {
    await sender.query('update test.place set id = id + 100');
    await synchronise();
    expect(await receiver.value('select min(id) from test.place')).toBe(101);
  });

  inAllWays('TRUNCATE', places, async ({ sender, receiver, synchronise }) => {
    await sender.query('truncate test.place');
    await synchronise();
    expect(await receiver.value('select count(*) from test.place')).toBe('0');
  });

  inAllWays(
    'rows with generated columns, identity columns and checks over several columns',
    {
      tables: `create schema test;
        create table test.area (
          id integer generated always as identity primary key,
          low integer, high integer, size integer generated always as (high - low) stored, check (low < high)
        )`,
      rows: 'insert into test.area (low, high) values (1, 2), (3, 4)',
    },
    async ({ sender, receiver, synchronise }) => {
      await sender.query('update test.area set low = 100, high = 200 where low = 1');
      await sender.query('insert into test.area (id, low, high) overriding system value values (9, 7, 9)');
      expect(await synchronise()).toMatchObject({ held: 0 });
      expect(await receiver.query('select low, size from test.area order by low')).toEqual([
        { low: 3, size: 1 },
        { low: 7, size: 2 },
        { low: 100, size: 100 },
      ]);
    },
  );

  inAllWays(
    'tables with natural, composite, uid and no primary keys',
    {
      tables: `create schema test;
     create table test.natural_key (code text primary key, v text);
     create table test.composite (a integer, b text, v text, primary key (a, b));
     create table test.uid_key (uid uuid primary key default gen_random_uuid(), v text);
     create table test.no_key (v text)`,
      rows: `insert into test.natural_key values ('x', '1'); insert into test.composite values (1, 'b', '1');
     insert into test.uid_key (v) values ('1'); insert into test.no_key values ('1'), ('1')`,
    },
    async ({ sender, receiver, synchronise, contents }) => {
      for (const table of ['natural_key', 'composite', 'uid_key', 'no_key']) {
        await sender.query(`update test.${table} set v = 'changed'`);
      }
      await sender.query(`insert into test.natural_key values ('y', '2')`);
      await sender.query(`insert into test.composite values (1, 'c', '2')`);
      await sender.query(`insert into test.uid_key (v) values ('2')`);
      await sender.query(`insert into test.no_key values ('2')`);
      expect(await synchronise()).toMatchObject({ held: 0 });
      expect(await contents(receiver)).toEqual(await contents(sender));
    },
  );

  inAllWays(
    'partitioned tables, rows that move and writes that name a partition',
    {
      tables: `create schema test;
     create table test.reading (id integer, day date, value integer, primary key (id, day)) partition by range (day);
     create table test.reading_2025 partition of test.reading for values from ('2025-01-01') to ('2026-01-01');
     create table test.reading_2026 partition of test.reading for values from ('2026-01-01') to ('2027-01-01')`,
      rows: `insert into test.reading values (1, '2025-05-05', 1), (2, '2026-05-05', 2)`,
    },
    async ({ sender, receiver, synchronise, contents }) => {
      await sender.query(`update test.reading set day = '2026-06-06' where id = 1`);
      await sender.query(`insert into test.reading_2025 (id, day, value) values (3, '2025-07-07', 3)`);
      await sender.query('update test.reading_2026 set value = 22 where id = 2');
      expect(await synchronise()).toMatchObject({ held: 0 });
      expect(await contents(receiver)).toEqual(await contents(sender));
    },
  );

  inAllWays(
    'what a trigger changed in the row that was just inserted, in its order',
    {
      tables: `create schema test;
     create table test.job (id integer primary key, state text);
     create function test.a_first() returns trigger language plpgsql as
       'begin update test.job set state = ''started'' where id = new.id and state = ''new''; return null; end';
     create trigger a_first after insert on test.job for each row execute function test.a_first()`,
      rows: 'select',
    },
    async ({ sender, receiver, synchronise }) => {
      await sender.query(`insert into test.job values (1, 'new')`);
      await synchronise();
      expect(await receiver.query('select state from test.job')).toEqual([{ state: 'started' }]);
    },
  );
});

describe("users' triggers (behaviour 7)", () => {
  const history = `
    create table test.note (id integer primary key, text text, edits integer default 0, updated_at timestamptz);
    create table test.note_history (id uuid primary key default gen_random_uuid(), note_id integer, text text);
    create function test.touch() returns trigger language plpgsql as
      'begin new.updated_at := clock_timestamp(); new.edits := coalesce(old.edits, 0) + 1; return new; end';
    create function test.keep() returns trigger language plpgsql as
      'begin insert into test.note_history (note_id, text) values (new.id, new.text); return null; end';
    create trigger touch before update on test.note for each row execute function test.touch();
    create trigger keep after insert or update on test.note for each row execute function test.keep();`;

  inAllWays(
    'do not fire again where changes arrive: no echo, no double rows',
    { tables: `create schema test; ${history}`, rows: `insert into test.note (id, text, edits) values (1, 'one', 7)` },
    async ({ sender, receiver, synchronise, contents }) => {
      await sender.query(`update test.note set text = 'changed' where id = 1`);
      await synchronise();
      expect(await contents(receiver)).toEqual(await contents(sender));
      expect(await receiver.query('select edits from test.note')).toEqual([{ edits: 8 }]);
      expect(await receiver.value('select count(*) from test.note_history')).toBe('2');
    },
  );

  inAllWays(
    'that are marked ENABLE ALWAYS fire, and what they do travels back',
    {
      tables: `create schema test;
        create table test.note (id integer primary key, text text, length integer);
        create table test.note_history (id uuid primary key default gen_random_uuid(), note_id integer, text text);
        create function test.normalise() returns trigger language plpgsql as
          'begin if current_setting(''session_replication_role'') = ''replica'' then
             new.text := upper(new.text); new.length := length(new.text);
           end if; return new; end';
        create function test.keep() returns trigger language plpgsql as
          'begin insert into test.note_history (note_id, text) values (new.id, new.text); return null; end';
        create trigger normalise before insert or update on test.note for each row execute function test.normalise();
        create trigger keep after update on test.note for each row when (old.text <> new.text) execute function test.keep();
        alter table test.note enable always trigger normalise;
        alter table test.note enable always trigger keep;`,
      rows: `insert into test.note (id, text) values (1, 'ONE')`,
    },
    async ({ sender, receiver, synchronise }) => {
      await sender.query(`update test.note set text = 'changed' where id = 1`);
      await synchronise();
      expect(await receiver.query('select text, length from test.note')).toEqual([{ text: 'CHANGED', length: 7 }]);
      await synchronise();
      expect(await sender.query('select text, length from test.note')).toEqual([{ text: 'CHANGED', length: 7 }]);
      // each server's own trigger wrote a line, and each line is everywhere once
      await synchronise();
      expect(await receiver.query('select text from test.note_history order by text collate "C"')).toEqual([
        { text: 'CHANGED' },
        { text: 'CHANGED' },
        { text: 'changed' },
      ]);
    },
  );

  inAllWays(
    'that are marked ENABLE ALWAYS and keep a row from being written make it a held change',
    {
      tables: `create schema test;
        create table test.note (id integer primary key, text text);
        create function test.skip() returns trigger language plpgsql as
          'begin if current_setting(''session_replication_role'') = ''replica'' and new.text = ''no'' then return null; end if; return new; end';
        create trigger skip before insert or update on test.note for each row execute function test.skip();
        alter table test.note enable always trigger skip;`,
      rows: `insert into test.note (id, text) values (1, 'one'), (2, 'two')`,
    },
    async ({ sender, receiver, synchronise }) => {
      await sender.query(`update test.note set text = 'no' where id = 1`);
      await sender.query(`update test.note set text = 'yes' where id = 2`);
      await sender.query(`insert into test.note values (3, 'no')`);
      expect(await synchronise()).toMatchObject({ held: 2 });
      expect(await receiver.query('select id, text from test.note order by id')).toEqual([
        { id: 1, text: 'one' },
        { id: 2, text: 'yes' },
      ]);
      await sender.query(`update test.note set text = 'well' where id in (1, 3)`);
      expect(await synchronise()).toMatchObject({ held: 0 });
    },
  );
});

describe('when both sides changed something (behaviours 2 and 6)', () => {
  inAllWays('different columns: both changes stay', places, async ({ sender, receiver, synchronise }) => {
    await sender.query(`update test.place set name = 'sender' where id = 1`);
    await receiver.query(`update test.place set note = 'receiver' where id = 1`);
    expect(await synchronise()).toMatchObject({ conflicts: 0 });
    for (const server of [sender, receiver]) {
      expect(await server.query('select name, note from test.place where id = 1')).toEqual([
        { name: 'sender', note: 'receiver' },
      ]);
    }
  });

  inAllWays('one column to the same value: no conflict', places, async ({ sender, receiver, synchronise }) => {
    await sender.query(`update test.place set name = 'same' where id = 1`);
    await receiver.query(`update test.place set name = 'same' where id = 1`);
    expect(await synchronise()).toMatchObject({ conflicts: 0 });
  });

  inAllWays(
    'one column: the later change wins, here the sender',
    places,
    async ({ central, sender, receiver, synchronise, direction }) => {
      await receiver.query(`update test.place set name = 'earlier' where id = 1`);
      await sender.query(`update test.place set name = 'later' where id = 1`);
      expect(await synchronise()).toMatchObject({ conflicts: 1 });
      expect(await sender.value('select name from test.place where id = 1')).toBe('later');
      expect(await receiver.value('select name from test.place where id = 1')).toBe('later');
      // the first half of a sync is the push: the central decides
      expect(await conflictsOf(central), direction).toEqual([
        { kind: 'update_update', winning: '"name"=>"later"', losing: '"name"=>"earlier"' },
      ]);
    },
  );

  inAllWays(
    'a delete against an update: the row is deleted, the lost values are on record',
    places,
    async ({ central, sender, receiver, synchronise, direction }) => {
      await sender.query('delete from test.place where id = 1');
      await receiver.query(`update test.place set name = 'lost' where id = 1`);
      expect(await synchronise()).toMatchObject({ conflicts: 1 });
      for (const server of [sender, receiver])
        expect(await server.query('select from test.place where id = 1')).toEqual([]);
      expect(await conflictsOf(central)).toEqual([
        {
          kind: direction === 'clone to central' ? 'delete_update' : 'update_delete',
          winning: null,
          losing: '"name"=>"lost"',
        },
      ]);
    },
  );

  inAllWays('two deletes: no conflict', places, async ({ sender, receiver, synchronise }) => {
    await sender.query('delete from test.place where id = 1');
    await receiver.query('delete from test.place where id = 1');
    expect(await synchronise()).toMatchObject({ conflicts: 0, pushed: 0, pulled: 0 });
  });

  inAllWays(
    'two inserts of one uid: column by column, as updates',
    places,
    async ({ sender, receiver, synchronise }) => {
      const uid = '00000000-0000-4000-8000-000000000001';
      await receiver.query(`insert into test.place (uid, id, name, note) values ('${uid}', 20, 'earlier', 'same')`);
      await sender.query(`insert into test.place (uid, id, name, note) values ('${uid}', 20, 'later', 'same')`);
      expect(await synchronise()).toMatchObject({ conflicts: 1, held: 0 });
      for (const server of [sender, receiver]) {
        expect(await server.query('select name, note from test.place where id = 20')).toEqual([
          { name: 'later', note: 'same' },
        ]);
      }
    },
  );

  inAllWays(
    'two rows with one unique value: held, reported, tried again',
    places,
    async ({ central, clones, sender, receiver, synchronise }) => {
      const [clone] = clones as [TestDatabase];
      await sender.query(`insert into test.place (id, name, code) values (20, 'sender', 'same')`);
      await receiver.query(`insert into test.place (id, name, code) values (21, 'receiver', 'same')`);
      await sender.query(`update test.place set name = 'goes through' where id = 2`);

      expect(await synchronise()).toMatchObject({ held: 2 });
      expect(await receiver.value('select name from test.place where id = 2')).toBe('goes through');
      for (const server of [central, clone]) {
        expect(await server.query('select table_name, sqlstate, message from lizsync.held_changes')).toEqual([
          { table_name: 'place', sqlstate: '23505', message: expect.stringContaining('place_code_key') },
        ]);
      }

      // what happens to a held row meanwhile is merged into it
      await sender.query(`update test.place set note = 'merged' where id = 20`);
      expect(await synchronise()).toMatchObject({ held: 2 });
      await receiver.query(`update test.place set code = 'another' where id = 21`);
      await synchronise();
      expect(await synchronise()).toMatchObject({ held: 0 });
      for (const server of [central, clone]) {
        expect(await server.query('select name, note, code from test.place where id >= 20 order by id')).toEqual([
          { name: 'sender', note: 'merged', code: 'same' },
          { name: 'receiver', note: null, code: 'another' },
        ]);
      }
    },
  );

  it.each(transports)('an update of a row that is not there and was not deleted is held (%s)', async (transport) => {
    const world = await link(places);
    const [clone] = world.clones as [TestDatabase];
    // the row disappears behind the back of the log, as only a superuser can do it
    const superuser = await clone.connect();
    await superuser.query('set session_replication_role = replica');
    await superuser.query('delete from test.place where id = 1');
    await superuser.end();
    await world.central.query(`update test.place set name = 'changed' where id in (1, 2)`);
    expect(await world.sync(clone, transport)).toMatchObject({ pulled: 1, held: 1 });
    expect(await clone.query('select sqlstate from lizsync.held_changes')).toEqual([{ sqlstate: 'LZ003' }]);
  });
});

describe('several clones', () => {
  it('a clone that synchronises for the first time after others changed everything gets it all', async () => {
    const world = await link(places, { cloneCount: 2 });
    const [busy, late] = world.clones as [TestDatabase, TestDatabase];
    await late.query(`update test.place set note = 'from the late one' where id = 3`);
    await busy.query(`update test.place set name = 'busy ' || id, code = 'd' || id`);
    await busy.query('delete from test.place where id = 1');
    await busy.query(`insert into test.place (id, name) values (50, 'busy')`);
    await world.sync(busy);
    await world.central.query(`update test.place set note = 'central' where id = 4`);
    expect(await world.sync(late)).toMatchObject({ pushed: 1, pulled: 7, conflicts: 0 });
    await expectConvergence(world);
    expect(await busy.value('select note from test.place where id = 3')).toBe('from the late one');
  });

  it('three clones that change and synchronise in random order end equal', async () => {
    const world = await link(places, { cloneCount: 3 });
    const random = createRandom(20261123);
    const all = [world.central, ...world.clones];
    for (let step = 0; step < 60; step += 1) {
      const database = all[Math.floor(random() * all.length)] as TestDatabase;
      const id = 1 + Math.floor(random() * 8);
      const change = [
        `update test.place set name = 'step ${step}' where id = ${id}`,
        `update test.place set note = 'step ${step}' where id = ${id}`,
        `insert into test.place (id, uid, name) values (${id}, md5('${id}')::uuid, 'step ${step}') on conflict do nothing`,
        `delete from test.place where id = ${id}`,
      ][Math.floor(random() * 4)] as string;
      if (random() < 0.7 || database === world.central) await database.query(change);
      else await world.sync(database, random() < 0.5 ? 'cli' : 'sql');
    }
    await expectConvergence(world);
  });
});

describe('values and names travel unharmed', () => {
  const hostile = [
    "datestyle = 'SQL, DMY'",
    'extra_float_digits = 0',
    "bytea_output = 'escape'",
    "timezone = 'Asia/Kathmandu'",
    "intervalstyle = 'sql_standard'",
    "search_path = 'nowhere'",
    "default_transaction_isolation = 'serializable'",
    "standard_conforming_strings = 'off'",
    "quote_all_identifiers = 'on'",
  ];
  const values = `
    create schema test;
    create type test.mood as enum ('good', 'it''s "bad"');
    create type test.pair as (a integer, b text);
    create domain test.short as varchar(5) check (value <> '');
    create table test.kinds (
      id integer primary key, d date, ts timestamptz, t timestamp, i interval, f8 double precision, f4 real, n numeric,
      b bytea, txt text, fixed char(6), v varchar(10), j json, jb jsonb, arr integer[], texts text[], mood test.mood,
      pair test.pair, short test.short, r int4range, m money, bits bit(5), net inet, u uuid, x xml, p point, c "char", flag boolean
    );`;
  const rows = `
    insert into test.kinds values
      (1, '2026-03-04', '2026-03-04 05:06:07.123456+02', 'infinity', '1 year 2 mons -3 days 04:05:06.7', 0.1::float8 + 0.2, 'NaN',
       'NaN', E'\\\\x00ff5c27', E'tab\\t quote '' backslash \\\\ newline\\n "q" é 🗺', 'ab', 'x', '{"a" : 1, "a": 2}', '{"é": [1, null]}',
       '[0:2]={1,null,3}', array['a,b', 'c"d', null, ''], 'it''s "bad"', row(1, 'x, "y"'), 'abc', '[1,5)', 12.34, B'10101',
       '10.0.0.1/8', gen_random_uuid(), '<a>b</a>', '(1.5,-2)', 'z', true),
      (2, '0044-03-15 BC', '-infinity', '4713-01-01 BC', '-1 day', '-0', '1e-30', 1e300 + 1e-10, '', '', '', '', 'null', '0',
       '{}', '{}', null, row(null, null), 'y', 'empty', -0.01, B'00000', '::1', null, null, null, '', false);
    insert into test.kinds (id) values (3);`;

  it.each([
    ['the central', { central: hostile }],
    ['the clone', { clone: hostile }],
  ])('with hostile settings on %s', async (_, settings) => {
    const world = await linkDatabases(values, { settings });
    const [clone] = world.clones as [TestDatabase];
    await world.central.query(rows);
    await world.sync(clone, 'cli');
    expect(await world.contents(clone)).toEqual(await world.contents(world.central));
    await clone.query(`update test.kinds set d = d + 1, f8 = 1.1 / 3, b = b || E'\\\\x01', i = i * 2 where id < 3`);
    await world.sync(clone, 'sql');
    expect(await world.contents(clone)).toEqual(await world.contents(world.central));
    await expectConvergence(world);
  });

  it.each(transports)('with names such as a"b, a.b, É, Select and names of 63 bytes (%s)', async (transport) => {
    const long = 'n'.repeat(62);
    const names = [
      'a"b',
      'a.b',
      'É',
      'Select',
      `${long}x`,
      `${long}y`,
      "it's",
      'per%cent',
      'back\\slash',
      'n',
      't',
      'i',
    ];
    const quoted = names.map((name) => `"${name.replaceAll('"', '""')}"`);
    const tables = `create schema "S.x""y"; ${quoted
      .map((name) => `create table "S.x""y".${name} (${quoted.map((column) => `${column} text`).join(', ')});`)
      .join('\n')}`;
    const world = await linkDatabases(tables, { schemas: ['S.x"y'] });
    const [clone] = world.clones as [TestDatabase];
    for (const name of quoted) {
      await world.central.query(
        `insert into "S.x""y".${name} values (${names.map((_, i) => `'central ${i}'`).join(', ')})`,
      );
      await clone.query(`insert into "S.x""y".${name} values (${names.map((_, i) => `'clone ${i}'`).join(', ')})`);
    }
    await world.sync(clone, transport);
    for (const name of quoted) {
      await clone.query(`update "S.x""y".${name} set ${name} = 'clone'`);
      await world.central.query(`delete from "S.x""y".${name} where "t" = 'clone 10'`);
    }
    expect(await world.sync(clone, transport)).toMatchObject({ held: 0, conflicts: names.length });
    await expectConvergence(world);
  });

  it('columns that are excluded stay as they are on each side', async () => {
    const world = await linkDatabases(
      `create schema test; create table test.photo (id integer primary key, name text, thumbnail bytea default '\\x00');
       insert into test.photo values (1, 'one', '\\x11');`,
      { excludeColumns: [{ schema: 'test', table: 'photo', column: 'thumbnail' }] },
    );
    const [clone] = world.clones as [TestDatabase];
    await clone.query(`update test.photo set name = 'changed', thumbnail = '\\x22'`);
    await clone.query(`insert into test.photo values (2, 'two', '\\x33')`);
    await world.sync(clone);
    expect(await world.central.query('select id, name, thumbnail::text from test.photo order by id')).toEqual([
      { id: 1, name: 'changed', thumbnail: '\\x11' },
      { id: 2, name: 'two', thumbnail: '\\x00' },
    ]);
  });
});

describeWithPostgis('geometries', [getTestServer(), getCloneServer()], () => {
  inAllWays(
    'keep SRID, Z, M and every digit',
    {
      tables: `create extension if not exists postgis;
        create schema test;
        create table test.feature (
          id integer primary key, name text, point geometry(point, 2154), any_geometry geometry, place geography(point, 4326),
          track geometry(linestringzm, 4326), area geometry(multipolygon, 2154)
        );
        create index on test.feature using gist (area);`,
      rows: `insert into test.feature (id, name) values (1, 'one'), (2, 'two')`,
    },
    async ({ sender, receiver, synchronise, contents }) => {
      await sender.query(`
        update test.feature
        set point = st_setsrid(st_makepoint(770000.1 / 3, 6279999.7), 2154),
            any_geometry = 'SRID=3857;POINT EMPTY',
            place = 'SRID=4326;POINT(3.8767 43.6108)',
            track = 'SRID=4326;LINESTRING ZM (0.1 0.2 0.3 0.4, 1 2 3 4)',
            area = st_multi(st_buffer(st_setsrid(st_makepoint(770000, 6280000), 2154), 100, 64))
        where id = 1`);
      await sender.query(
        `insert into test.feature (id, any_geometry) values (3, 'GEOMETRYCOLLECTION (POINT (1 2), POLYGON EMPTY)')`,
      );
      await receiver.query(`update test.feature set name = 'changed meanwhile' where id = 1`);
      expect(await synchronise()).toMatchObject({ conflicts: 0, held: 0 });
      expect(await contents(receiver)).toEqual(await contents(sender));
      expect(
        await receiver.query(
          'select name, st_srid(point) as srid, st_zmflag(track) as zm from test.feature where id = 1',
        ),
      ).toEqual([{ name: 'changed meanwhile', srid: 2154, zm: 3 }]);
    },
  );
});

function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}
