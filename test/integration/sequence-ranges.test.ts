import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import { describe, expect, it, test } from 'vitest';
import { grant } from '../../src/core/grant.js';
import { synchronize } from '../../src/core/sync.js';
import { runLizsync } from '../support/cli.js';
import { createRole, type TestDatabase } from '../support/database.js';
import { linkDatabases, transports } from '../support/link.js';
import {
  collectWarnings,
  createCentral,
  createEmptyClone,
  createFolder,
  deployTo,
  packageTables,
} from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { getCloneServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';
import { expectSynchronised, waitForOlderTransactions } from '../support/synchronised.js';

/** From what a sequence draws: its bounds and the next number. */
interface Range {
  lower: number;
  upper: number;
  next: number;
}

async function rangeOf(database: TestDatabase, sequence: string): Promise<Range> {
  const [row] = await database.query<Record<keyof Range, string>>(
    `select q.seqmin as lower, q.seqmax as upper, s.last_value + case when s.is_called then q.seqincrement else 0 end as next
     from pg_sequence as q, ${sequence} as s where q.seqrelid = '${sequence}'::regclass`,
  );
  return { lower: Number(row?.lower), upper: Number(row?.upper), next: Number(row?.next) };
}

/** Draws numbers, all but so many of the range. */
async function use(database: TestDatabase, sequence: string, left: number): Promise<void> {
  await database.query(
    `select setval('${sequence}', seqmax - $1) from pg_sequence where seqrelid = '${sequence}'::regclass`,
    [left],
  );
}

async function add(database: TestDatabase, table: string): Promise<number> {
  return Number(await database.value(`insert into ${table} default values returning id`));
}

function allotted(central: TestDatabase): Promise<number> {
  return central.value('select count(*)::integer from lizsync.sequence_ranges');
}

/** Lets the second half of a sync fail in the clone, after the first one has been committed in the central. */
async function breakSecondHalf(clone: TestDatabase): Promise<void> {
  await clone.query(`
    create function public.fail() returns trigger language plpgsql as $$ begin raise 'the second half fails'; end $$;
    create trigger fail before insert on lizsync.history for each row execute function public.fail()`);
}

async function repairSecondHalf(clone: TestDatabase): Promise<void> {
  await clone.query('drop trigger fail on lizsync.history; drop function public.fail()');
}

describe('three clones that insert parents and children offline', () => {
  it.each(transports)('keep every id, and every integer foreign key (%s)', async (transport) => {
    const world = await linkDatabases(
      `create schema test;
       create table test.parent (id serial primary key, name text);
       create table test.child (id bigint generated always as identity primary key,
         parent_id integer not null references test.parent, name text);
       insert into test.parent (name) values ('first'), ('second');
       insert into test.child (parent_id, name) values (1, 'first');`,
      { cloneCount: 3 },
    );
    const { central, clones, sync } = world;
    for (let round = 0; round < 2; round += 1) {
      for (const [number, database] of [central, ...clones].entries()) {
        await database.query(`
          with parents as (
            insert into test.parent (name) select format('parent %s of %s in ${round}', n, ${number}) from generate_series(1, 20) as n
            returning id
          )
          insert into test.child (parent_id, name) select id, format('child of %s in ${round}', id) from parents`);
      }
      for (const clone of [...clones, ...clones]) {
        expect(await sync(clone, transport)).toMatchObject({ conflicts: 0, held: 0 });
      }
    }
    await expectSynchronised(world);
    expect(
      await central.query(`
        select count(*)::integer as children, count(distinct c.id)::integer as ids
        from test.child as c join test.parent as p on p.id = c.parent_id
        where c.name like 'child%' and c.name like format('child of %s in %%', p.id)`),
    ).toEqual([{ children: 160, ids: 160 }]);
    // the central goes on with its own numbers, and its sequences stay as they are
    expect(await add(central, 'test.parent')).toBe(43);
    expect(
      await central.query('select seqmin::text, seqmax::text from pg_sequence where seqrelid = $1::regclass', [
        'test.parent_id_seq',
      ]),
    ).toEqual([{ seqmin: '1', seqmax: '2147483647' }]);
  });
});

describe('a range', () => {
  test('is given of every sequence that feeds a synchronised column, and no two clones have a number in common', async () => {
    const { central, clones } = await linkDatabases(
      `create schema test; create schema "Else Where"; create domain test.number as integer;
       create table test.kinds (
         id serial primary key, small smallserial, big bigserial,
         always bigint generated always as identity (cache 5),
         by_default integer generated by default as identity (sequence name test."Odd" cycle), no_number text default 'x');
       create sequence test.shared as smallint;
       create sequence "Else Where".renamed;
       create table test.plain (
         id integer primary key default nextval('test.shared'), other bigint default nextval('test.shared'),
         domain test.number default nextval('"Else Where".renamed'), code text default 'T-' || nextval('"Else Where".renamed'));
       alter sequence "Else Where".renamed rename to "new name";
       create sequence test.owned; create table test.by_trigger (id integer primary key);
       alter sequence test.owned owned by test.by_trigger.id;
       create sequence test.parts_id; create table test.parts (id bigint default nextval('test.parts_id')) partition by range (id);
       create table test.part partition of test.parts default;
       create table test.local (id integer primary key, not_synchronised serial);
       insert into test.kinds default values;
       insert into test.plain default values;`,
      {
        cloneCount: 3,
        excludeColumns: [{ schema: 'test', table: 'local', column: 'not_synchronised' }],
      },
    );
    const fed = [
      'test.kinds_id_seq',
      'test.kinds_small_seq',
      'test.kinds_big_seq',
      'test.kinds_always_seq',
      'test."Odd"',
      'test.shared',
      '"Else Where"."new name"',
      'test.owned',
      'test.parts_id',
    ];
    const sizes: Record<string, number> = {
      'test.kinds_small_seq': 500,
      'test.shared': 500,
      'test.kinds_big_seq': 1e9,
      'test.kinds_always_seq': 1e9,
      'test.parts_id': 1e9,
    };
    for (const sequence of fed) {
      const ranges = await Promise.all(clones.map((clone) => rangeOf(clone, sequence)));
      const ofCentral = await rangeOf(central, sequence);
      for (const { lower, upper, next } of ranges) {
        expect(upper - lower + 1, sequence).toBe(sizes[sequence] ?? 20_000_000);
        expect(next).toBe(lower);
        expect(ofCentral.next).toBeLessThan(lower);
      }
      const sorted = ranges.toSorted((one, other) => one.lower - other.lower);
      expect(sorted[0]?.upper).toBeLessThan(sorted[1]?.lower ?? 0);
      expect(sorted[1]?.upper).toBeLessThan(sorted[2]?.lower ?? 0);
    }
    const options = `select seqrelid::regclass::text as name, seqtypid::regtype::text as type, seqincrement, seqcache, seqcycle from pg_sequence
      where seqrelid::regclass::text like 'test.%' order by 1`;
    for (const clone of clones) {
      expect(await clone.query(options)).toEqual(await central.query(options));
      expect(await rangeOf(clone, 'test.local_not_synchronised_seq')).toMatchObject({ lower: 1, upper: 2147483647 });
    }
    // a cycle stays in the range
    const odd = await rangeOf(clones[0] as TestDatabase, 'test."Odd"');
    await use(clones[0] as TestDatabase, 'test."Odd"', 0);
    expect(await clones[0]?.value(`insert into test.kinds default values returning by_default`)).toBe(odd.lower);
    // only smallint comes close enough to the central for a bound
    expect(
      await central.query(`select seqrelid::regclass::text as name from pg_sequence
        where seqmax not in (32767, 2147483647, 9223372036854775807) order by 1`),
    ).toEqual([{ name: 'test.kinds_small_seq' }, { name: 'test.shared' }]);
  });

  test('of a sequence that counts down or in steps goes on in step', async () => {
    const world = await linkDatabases(
      `create schema test;
       create table test.down (id integer generated always as identity (increment by -1) primary key);
       create table test.tens (id integer generated always as identity (start with 7 increment by 10) primary key);
       create table test.down_by_three (id bigint generated by default as identity (start with -2 increment by -3) primary key);`,
      { cloneCount: 2 },
    );
    const { central, sync } = world;
    const clones = world.clones as [TestDatabase, TestDatabase];
    const numbers: Record<string, number[]> = { down: [], tens: [], down_by_three: [] };
    for (const database of [central, ...clones]) {
      for (const [table, list] of Object.entries(numbers)) {
        for (let n = 0; n < 3; n += 1) list.push(await add(database, `test.${table}`));
      }
    }
    expect(numbers.down?.slice(0, 3)).toEqual([-1, -2, -3]);
    expect(numbers.tens?.slice(0, 3)).toEqual([7, 17, 27]);
    expect(numbers.down_by_three?.slice(0, 3)).toEqual([-2, -5, -8]);
    for (const [table, list] of Object.entries(numbers)) {
      expect(new Set(list).size, table).toBe(9);
      const [step, rest] = table === 'tens' ? [10, 7] : table === 'down' ? [1, -0] : [3, -2];
      expect(list.every((number) => number % step === rest)).toBe(true);
      expect(list.every((number) => number > 0 === (table === 'tens'))).toBe(true);
    }
    // they are renewed like others, at their own end
    const { lower, upper } = await rangeOf(clones[0], 'test.down_id_seq');
    await clones[0].query(`select setval('test.down_id_seq', $1)`, [lower + 5]);
    await clones[0].query(
      `select setval('test.tens_id_seq', seqmax - 30) from pg_sequence where seqrelid = 'test.tens_id_seq'::regclass`,
    );
    for (const clone of [...clones, ...clones]) expect(await sync(clone)).toMatchObject({ held: 0 });
    const next = await rangeOf(clones[0], 'test.down_id_seq');
    expect(next.next).toBe(next.upper);
    expect(next.lower > upper || next.upper < lower).toBe(true);
    expect((await add(clones[0], 'test.tens')) % 10).toBe(7);
    await sync(clones[0]);
    await sync(clones[1]);
    await expectSynchronised(world);
  });

  test('has no number that a row has, and none that is near to those of the central', async () => {
    const { central, clones } = await linkDatabases(
      `create schema test;
       create table test.a (id serial primary key); create table test.b (id bigserial primary key, other integer);
       alter table test.b alter other set default nextval('test.b_id_seq');
       create table test.c (id bigserial primary key);
       insert into test.a values (2147483647), (2130000000), (999), (2099999999), (2100000005);
       insert into test.b (id) select setval('test.b_id_seq', 2000000000);
       select setval('test.c_id_seq', 7000000000000);`,
    );
    const clone = clones[0] as TestDatabase;
    expect(await rangeOf(clone, 'test.a_id_seq')).toMatchObject({ lower: 2_060_000_001, upper: 2_080_000_000 });
    // the sequence is a bigint, but one column is not; of what is left, a fiftieth
    expect(await rangeOf(clone, 'test.b_id_seq')).toMatchObject({ lower: 2_144_000_001, upper: 2_146_000_000 });
    expect((await rangeOf(central, 'test.b_id_seq')).upper).toBe(2_144_000_000);
    // no more than programs hold that take numbers for floating point
    expect((await rangeOf(clone, 'test.c_id_seq')).upper).toBe(9_007_199_000_000_000);
  });
});

describe('a sync', () => {
  it.each(transports)('gives the clone the next range when less than a fifth is left (%s)', async (transport) => {
    const world = await linkDatabases('create schema test; create table test.a (id serial primary key)', {
      cloneCount: 2,
    });
    const { central, sync } = world;
    const [clone, other] = world.clones as [TestDatabase, TestDatabase];
    const first = await rangeOf(clone, 'test.a_id_seq');
    await use(clone, 'test.a_id_seq', 4_000_000);
    await sync(clone, transport);
    expect(await rangeOf(clone, 'test.a_id_seq')).toMatchObject({ lower: first.lower, upper: first.upper });
    const last = await add(clone, 'test.a');
    expect(last).toBe(first.upper - 4_000_000 + 1);

    await sync(clone, transport);
    const second = await rangeOf(clone, 'test.a_id_seq');
    expect(second).toEqual({ lower: second.lower, upper: second.lower + 20_000_000 - 1, next: second.lower });
    expect(second.upper).toBeLessThan((await rangeOf(other, 'test.a_id_seq')).lower);
    expect(await add(clone, 'test.a')).toBe(second.lower);
    for (let n = 0; n < 3; n += 1) for (const each of world.clones) await sync(each, transport);
    expect(await allotted(central)).toBe(3);
    await expectSynchronised(world);
  });

  it.each(transports)(
    'whose answer is lost, however often, costs no numbers and gives none twice (%s)',
    async (transport) => {
      const world = await linkDatabases('create schema test; create table test.a (id serial primary key)', {
        cloneCount: 2,
      });
      const { central, sync } = world;
      const [clone, other] = world.clones as [TestDatabase, TestDatabase];
      const first = await rangeOf(clone, 'test.a_id_seq');
      await use(clone, 'test.a_id_seq', 10);
      await use(other, 'test.a_id_seq', 10);
      if (transport === 'cli') await breakSecondHalf(clone);
      for (let n = 0; n < 3; n += 1) {
        if (transport === 'cli') {
          await expect(sync(clone)).rejects.toThrow('the second half fails');
        } else {
          const caller = await clone.connect();
          await caller.query('begin; select lizsync.synchronize(); rollback');
          await caller.end();
        }
        expect(await rangeOf(clone, 'test.a_id_seq')).toMatchObject({ lower: first.lower, upper: first.upper });
        await sync(other, transport);
        expect(await allotted(central)).toBe(4);
      }
      if (transport === 'cli') await repairSecondHalf(clone);
      await sync(clone, transport);
      expect(await allotted(central)).toBe(4);
      expect((await rangeOf(clone, 'test.a_id_seq')).upper).not.toBe(first.upper);
      for (const database of [central, clone, other]) for (let n = 0; n < 5; n += 1) await add(database, 'test.a');
      for (const each of [clone, other, clone]) expect(await sync(each, transport)).toMatchObject({ held: 0 });
      await expectSynchronised(world);
    },
  );

  test('of three clones at once gives each its own', async () => {
    const { central, clones, sync } = await linkDatabases(
      'create schema test; create table test.a (id serial primary key)',
      { cloneCount: 3 },
    );
    for (let round = 0; round < 3; round += 1) {
      for (const clone of clones) await use(clone, 'test.a_id_seq', 10);
      await Promise.all(clones.map((clone, index) => sync(clone, transports[(index + round) % 2])));
    }
    expect(await allotted(central)).toBe(12);
    const lowers = await Promise.all(clones.map(async (clone) => (await rangeOf(clone, 'test.a_id_seq')).lower));
    expect(new Set(lowers).size).toBe(3);
  });

  test('by roles that own nothing renews, too', async () => {
    const { central, clones } = await linkDatabases('create schema test; create table test.a (id serial primary key)');
    const clone = clones[0] as TestDatabase;
    const [atCentral, atClone] = [await createRole(central.server), await createRole(clone.server)];
    await grant({ server: toSettings(central.url), serverRole: 'central', role: atCentral.name });
    await grant({ server: toSettings(clone.url), serverRole: 'clone', role: atClone.name });
    for (const viaClone of [false, true]) {
      const { lower } = await rangeOf(clone, 'test.a_id_seq');
      await use(clone, 'test.a_id_seq', 10);
      await synchronize({
        central: toSettings(atCentral.urlFor(central)),
        clone: toSettings(atClone.urlFor(clone)),
        viaClone,
      });
      expect((await rangeOf(clone, 'test.a_id_seq')).lower).not.toBe(lower);
    }
  });

  test('waits for nobody who has drawn a number and goes on: the next one sets the range', async () => {
    const { central, clones, sync } = await linkDatabases(
      'create schema test; create table test.a (id serial primary key)',
    );
    const clone = clones[0] as TestDatabase;
    await use(clone, 'test.a_id_seq', 10);
    const before = await rangeOf(clone, 'test.a_id_seq');
    const long = await clone.connect();
    await long.query('begin; insert into test.a default values');
    await sync(clone);
    expect(await rangeOf(clone, 'test.a_id_seq')).toMatchObject({ lower: before.lower });
    await long.query('commit');
    await sync(clone);
    expect((await rangeOf(clone, 'test.a_id_seq')).lower).not.toBe(before.lower);
    expect(await allotted(central)).toBe(2);
  });

  test('gives ranges to a link that has none, as one that was made by an earlier version', async () => {
    const world = await linkDatabases('create schema test; create table test.a (id serial primary key)', {
      cloneCount: 2,
    });
    const { central, clones, sync } = world;
    await central.query('delete from lizsync.sequences');
    for (const clone of clones) {
      await clone.query('alter sequence test.a_id_seq minvalue 1 maxvalue 2147483647 start 1 restart 1');
    }
    for (const clone of clones) await sync(clone);
    for (const database of [central, ...clones]) for (let n = 0; n < 3; n += 1) await add(database, 'test.a');
    for (const clone of [...clones, ...clones]) expect(await sync(clone)).toMatchObject({ held: 0 });
    expect(await allotted(central)).toBe(2);
    await expectSynchronised(world);
  });

  test('gives a range back its bounds that somebody changed, and another one where the central was set into it', async () => {
    const { central, clones, sync } = await linkDatabases(
      'create schema test; create table test.a (id serial primary key)',
    );
    const clone = clones[0] as TestDatabase;
    const first = await rangeOf(clone, 'test.a_id_seq');
    await add(clone, 'test.a');
    await sync(clone);
    await clone.query('alter sequence test.a_id_seq no minvalue no maxvalue start 1 restart 1');
    await sync(clone);
    expect(await rangeOf(clone, 'test.a_id_seq')).toEqual({ ...first, next: first.lower + 1 });

    // from now on the central looks at it only when it has moved, here or there
    await sync(clone);
    expect(await central.value('select checked_sequences is not null from lizsync.links')).toBe(true);
    await central.query(`select setval('test.a_id_seq', $1)`, [first.lower + 100]);
    await sync(clone);
    expect((await rangeOf(clone, 'test.a_id_seq')).lower).toBeGreaterThan(first.upper);
  });

  test('knows a sequence of the central again when it was renamed, or another one took its place', async () => {
    const { central, clones, sync } = await linkDatabases(
      'create schema test; create table test.a (id serial primary key)',
    );
    const clone = clones[0] as TestDatabase;
    await central.query('alter sequence test.a_id_seq rename to other_name');
    await use(clone, 'test.a_id_seq', 10);
    await sync(clone);
    await central.query(`
      alter table test.a alter id drop default; drop sequence test.other_name;
      alter table test.a alter id add generated by default as identity (sequence name test.third_name)`);
    await use(clone, 'test.a_id_seq', 10);
    await sync(clone);
    expect(await central.query('select sequence::text, columns from lizsync.sequences')).toEqual([
      { sequence: 'test.third_name', columns: ['test.a.id'] },
    ]);
    expect(await allotted(central)).toBe(3);
  });
});

describe('numbers that end', () => {
  test('in a clone that is offline are an error, which a sync ends', async () => {
    const { clones, sync } = await linkDatabases('create schema test; create table test.a (id serial primary key)');
    const clone = clones[0] as TestDatabase;
    const { upper } = await rangeOf(clone, 'test.a_id_seq');
    await use(clone, 'test.a_id_seq', 2);
    await add(clone, 'test.a');
    await add(clone, 'test.a');
    await expect(add(clone, 'test.a')).rejects.toThrow(
      `nextval: reached maximum value of sequence "a_id_seq" (${upper})`,
    );
    await sync(clone);
    await add(clone, 'test.a');
    expect(await sync(clone)).toMatchObject({ pushed: 1, held: 0 });
  });

  test('in a clone that is offline are named beside the error, with what to do; rows with numbers of their own go in', async () => {
    const { central, clones, sync } = await linkDatabases(`
      create schema test;
      create table test.serial (id serial primary key);
      create table test.identity (id bigint generated by default as identity primary key);
      create sequence test."Down ""it""" increment by -1;
      create table test.down (id integer primary key default nextval('test."Down ""it"""'));
      create table test.part (id serial, k integer, primary key (id, k)) partition by list (k);
      create table test.part_1 partition of test.part for values in (1);
      create table test.plain (id integer primary key)`);
    const clone = clones[0] as TestDatabase;
    const client = await clone.connect();
    let notices: string[] = [];
    const listen = (to: pg.Client): void => {
      to.on('notice', ({ severity, message, hint }) => notices.push(`${severity} ${message} ${hint}`));
    };
    listen(client);
    const hear = async (statement: string, by = client): Promise<{ error: string | null; notices: string[] }> => {
      notices = [];
      const error = await by.query(statement).then(
        () => null,
        (reason: Error) => reason.message,
      );
      return { error, notices };
    };
    const silence = { error: null, notices: [] };
    const warning = (sequence: string): string =>
      `WARNING the numbers that this clone has of the sequence ${sequence} are used up Synchronise, and it gets more: ` +
      'lizsync sync, or select * from lizsync.synchronize(); until then only rows that bring their own numbers can be inserted.';
    const sequences = {
      serial: 'test.serial_id_seq',
      identity: 'test.identity_id_seq',
      down: 'test."Down ""it"""',
      part: 'test.part_id_seq',
    };
    for (const [table, sequence] of Object.entries(sequences)) {
      const columns = table === 'part' ? '(k) values (1)' : 'default values';
      // the second round is in a range that a sync has given
      for (let round = 0; round < 2; round += 1) {
        await clone.query(
          `select setval(seqrelid, case when seqincrement > 0 then seqmax - 1 else seqmin + 1 end)
           from pg_sequence where seqrelid = $1::regclass`,
          [sequence],
        );
        // the last one is a number as any other
        expect(await hear(`insert into test.${table} ${columns}`)).toEqual(silence);
        const exhausted = {
          error: expect.stringMatching(/^nextval: reached m[ai][xn]imum value of sequence/),
          notices: [warning(sequence)],
        };
        expect(await hear(`insert into test.${table} ${columns}`)).toEqual(exhausted);
        if (table === 'part') expect(await hear('insert into test.part_1 (k) values (1)')).toEqual(exhausted);
        const own = table === 'part' ? `(id, k) values (${10 + round}, 1)` : `(id) values (${10 + round})`;
        expect(await hear(`insert into test.${table} ${own}`)).toEqual({ error: null, notices: [warning(sequence)] });
        // what draws no numbers hears nothing of them
        expect(await hear(`update test.${table} set id = id`)).toEqual(silence);
        expect(await hear(`insert into test.plain values (1) on conflict do nothing`)).toEqual(silence);
        expect(await sync(clone)).toMatchObject({ held: 0 });
        expect(await hear(`insert into test.${table} ${columns}`)).toEqual(silence);
      }
    }
    await sync(clone);

    // a package that is deployed over it brings other names, and one sequence less
    await central.query(
      'alter sequence test.serial_id_seq rename to renamed; alter table test.identity alter id drop identity',
    );
    await deployTo(clone, central, (await packageTables(central)).file);
    expect(
      await clone.query(`
        select t.tgrelid::regclass::text as name from pg_trigger as t
        where t.tgname = 'lizsync_audit_range' order by t.tgrelid::regclass::text collate "C"`),
    ).toEqual(['test.down', 'test.part', 'test.part_1', 'test.serial'].map((name) => ({ name })));
    await use(clone, 'test.renamed', 0);
    expect((await hear('insert into test.serial default values')).notices).toEqual([warning('test.renamed')]);
    // who may insert, and nothing else, hears it, too
    const role = await createRole(getCloneServer());
    await clone.query(`grant usage on schema test to ${role.name}; grant insert on test.serial to ${role.name}`);
    const inserter = await clone.connect({ connectionString: role.urlFor(clone) });
    listen(inserter);
    expect(await hear('insert into test.serial values (20)', inserter)).toEqual({
      error: null,
      notices: [warning('test.renamed')],
    });
    // a sequence that has another name now stops nobody
    await clone.query('alter sequence test.renamed rename to renamed_again');
    expect(await hear('insert into test.serial values (21)')).toEqual(silence);
    expect(await central.value(`select count(*)::integer from pg_trigger where tgname = 'lizsync_audit_range'`)).toBe(
      0,
    );
  });

  it.each(transports)('in the whole sequence are refused by name, and never given twice (%s)', async (transport) => {
    const world = await linkDatabases(
      `create schema test; create table test.a (id smallserial primary key);
       alter sequence test.a_id_seq maxvalue 1200; select setval('test.a_id_seq', 691)`,
      { cloneCount: 1 },
    );
    const { central } = world;
    const clone = world.clones[0] as TestDatabase;
    expect(await rangeOf(clone, 'test.a_id_seq')).toEqual({ lower: 1191, upper: 1200, next: 1191 });
    expect((await rangeOf(central, 'test.a_id_seq')).upper).toBe(1190);

    // nothing is left for a second one
    const second = await createEmptyClone();
    const { file } = await packageTables(central);
    const { warnings, onProgress } = collectWarnings();
    await deployTo(second, central, file, {}, onProgress);
    expect(warnings).toEqual([
      'the sequence test.a_id_seq of the central has no numbers left that a clone could be given',
    ]);
    await expect(add(second, 'test.a')).rejects.toThrow('reached maximum value of sequence "a_id_seq"');

    // the first one uses what it has
    await use(clone, 'test.a_id_seq', 1);
    const events: string[] = [];
    await synchronize(
      { central: toSettings(central.url), clone: toSettings(clone.url), viaClone: transport === 'sql' },
      (event) => {
        if (event.kind === 'warning') events.push(`${event.text} ${event.hint}`);
      },
    );
    expect(events).toEqual([
      expect.stringMatching(
        /test\.a_id_seq .*no numbers left.*lizsync retire.*larger type.*test\.a\.id.*alter sequence test\.a_id_seq as bigint no maxvalue/,
      ),
    ]);
    expect(await add(clone, 'test.a')).toBe(1200);
    await expect(add(clone, 'test.a')).rejects.toThrow('reached maximum value');

    // the central goes on up to the ranges
    await central.query(`insert into test.a select nextval('test.a_id_seq') from generate_series(1, 499)`);
    await expect(add(central, 'test.a')).rejects.toThrow('reached maximum value of sequence "a_id_seq" (1190)');
    expect(await world.sync(clone, transport)).toMatchObject({ held: 0 });

    // room is made
    for (const database of [central, clone, second]) {
      await database.query('alter table test.a alter id type bigint');
    }
    await central.query('alter sequence test.a_id_seq as bigint no maxvalue');
    for (const each of [clone, second, clone]) {
      await synchronize({
        central: toSettings(central.url),
        clone: toSettings(each.url),
        viaClone: transport === 'sql',
      });
      expect(await add(each, 'test.a')).toBeGreaterThan(1_000_000);
    }
    // it goes on behind the numbers of the first clone
    expect(await add(central, 'test.a')).toBe(1201);
    expect(await rangeOf(central, 'test.a_id_seq')).toMatchObject({ upper: Number(2n ** 63n - 1n) });
    for (const each of [clone, second, clone, second]) {
      await synchronize({
        central: toSettings(central.url),
        clone: toSettings(each.url),
        viaClone: transport === 'sql',
      });
    }
    const ids = 'select id from test.a order by id';
    for (const each of [clone, second]) expect(await each.query(ids)).toEqual(await central.query(ids));
  });
});

test('numbers that were set by hand in two servers are held, and every other change goes on', async () => {
  const { central, clones, sync } = await linkDatabases(
    'create schema test; create table test.a (id serial primary key, name text)',
  );
  const clone = clones[0] as TestDatabase;
  const { lower } = await rangeOf(clone, 'test.a_id_seq');
  await central.query('insert into test.a values ($1, $2)', [lower, 'by hand']);
  await clone.query(`insert into test.a (name) values ('drawn'), ('drawn too')`);
  expect(await sync(clone)).toMatchObject({ pushed: 1, held: 2 });
  expect(await central.query('select id, name from test.a order by id')).toEqual([
    { id: lower, name: 'by hand' },
    { id: lower + 1, name: 'drawn too' },
  ]);
  await central.query(`update test.a set id = nextval('test.a_id_seq') where name = 'by hand'`);
  for (let n = 0; n < 2; n += 1) await sync(clone);
  expect(await sync(clone)).toMatchObject({ held: 0 });
  const rows = 'select id, name from test.a order by name';
  expect(await clone.query(rows)).toEqual(await central.query(rows));
});

describe('deploy', () => {
  test('over a clone goes on with its range; with --new-id it gets another; after.sql draws from it', async () => {
    const central = await createCentral('create schema test; create table test.a (id serial primary key)');
    const clone = await createEmptyClone();
    const first = await packageTables(central);
    await deployTo(clone, central, first.file);
    const range = await rangeOf(clone, 'test.a_id_seq');
    await add(clone, 'test.a');
    const both = { central: toSettings(central.url), clone: toSettings(clone.url) };
    await synchronize(both);
    await add(clone, 'test.a');
    await synchronize(both);
    for (const change of ['select 1', 'alter table test.a add note text']) {
      await central.query(change);
      const next = await packageTables(central);
      await deployTo(clone, central, next.file);
      expect(await rangeOf(clone, 'test.a_id_seq')).toEqual({ ...range, next: range.lower + 2 });
    }
    expect(await allotted(central)).toBe(1);

    const after = path.join(await createFolder(), 'after.sql');
    await writeFile(after, 'insert into test.a default values');
    const last = await packageTables(central, { sqlAfter: after });
    await deployTo(clone, central, last.file, { newId: true });
    const other = await rangeOf(clone, 'test.a_id_seq');
    expect(other.upper).toBeLessThan(range.lower);
    expect(other.next).toBe(other.lower + 1);
    expect(await synchronize(both)).toMatchObject({ pushed: 1, held: 0 });
    expect(await central.value('select min(id) from test.a where id > 100')).toBe(other.lower);
  });

  test('of several clones at the same time, where the sequence of the central comes close to their ranges', async () => {
    const central = await createCentral(`create schema test;
      create table test.a (id smallserial primary key); create table test.b (id smallserial primary key)`);
    await add(central, 'test.a');
    await add(central, 'test.b');
    const { file } = await packageTables(central);
    const clones = await Promise.all(Array.from({ length: 8 }, createEmptyClone));
    await Promise.all(clones.map((clone) => deployTo(clone, central, file)));
    const lowest = await Promise.all(clones.map(async (clone) => (await rangeOf(clone, 'test.b_id_seq')).lower));
    expect(new Set(lowest).size).toBe(clones.length);
  });

  test('that fails gives its ranges back', async () => {
    const central = await createCentral('create schema test; create table test.a (id smallserial primary key)');
    const after = path.join(await createFolder(), 'after.sql');
    await writeFile(after, `insert into test.a default values; do 'begin raise $$no$$; end'`);
    const bad = await packageTables(central, { sqlAfter: after });
    const good = await packageTables(central);
    for (let n = 0; n < 3; n += 1) await refusal(deployTo(await createEmptyClone(), central, bad.file));
    await deployTo(await createEmptyClone(), central, good.file);
    expect(await allotted(central)).toBe(1);
  });
});

describe('lizsync retire', () => {
  test('ends the link of a clone: it cannot synchronise, nothing is kept for it, and its numbers return', async () => {
    const world = await linkDatabases('create schema test; create table test.a (id smallserial primary key)', {
      cloneCount: 2,
    });
    const { central, sync } = world;
    const [clone, other] = world.clones as [TestDatabase, TestDatabase];
    const range = await rangeOf(clone, 'test.a_id_seq');
    await add(clone, 'test.a');
    await sync(clone);
    const used = await add(clone, 'test.a');
    await sync(clone);
    await add(clone, 'test.a'); // is never sent

    const asked = await runLizsync(['retire', 'clone1', '--central', central.url]);
    expect(asked).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/clone1 last synchronised on 2.*could not be sent[\s\S]*--yes/),
    });
    await sync(clone);
    const lost = await add(clone, 'test.a');
    const unknown = await runLizsync(['retire', 'nobody', '--central', central.url, '--yes']);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/no clone nobody[\s\S]*clone1, clone2/) });

    const done = await runLizsync(['retire', 'clone1', '--central', central.url, '--yes', '--json']);
    expect(done).toMatchObject({ code: 0, stderr: '', json: { clone: 'clone1', held: 0 } });
    const again = await runLizsync(['retire', 'clone1', '--central', central.url, '--yes']);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('clone1 was retired on') });
    for (const transport of transports) {
      const error = await sync(clone, transport).then(
        () => undefined,
        (reason) => reason,
      );
      expect(error.message).toMatch(/does not know the clone clone1 any more: it was retired/);
      expect(error.hint).toContain('lizsync deploy --force');
    }
    await central.query(`update audit.logged_actions set changed_at = '2001-01-01', corrected_at = '2001-01-01'`);
    await waitForOlderTransactions(central, other);
    await sync(other);
    await sync(other);
    expect((await runLizsync(['prune', '--central', central.url, '--keep', '1d', '--json'])).json).toMatchObject({
      held_back_by: null,
    });

    // what it had not used is given to the next one, when that is as much as a new range would have
    expect(
      await central.query(`select lower_value, upper_value from lizsync.sequence_ranges where clone_id is null`),
    ).toEqual([{ lower_value: String(used + 2), upper_value: String(range.upper) }]);
    expect(lost).toBe(used + 2);
    await central.query(`select setval('test.a_id_seq', 10000)`);
    const { file } = await packageTables(central);
    const third = await createEmptyClone();
    await deployTo(third, central, file);
    expect(await rangeOf(third, 'test.a_id_seq')).toEqual({ lower: used + 2, upper: range.upper, next: used + 2 });

    // and it can come back, as a clone with new numbers
    expect((await refusal(deployTo(clone, central, file))).message).toMatch(/not sent/);
    const unsentChangesFile = path.join(await createFolder(), 'unsent.jsonl');
    await deployTo(clone, central, file, { force: true, unsentChangesFile });
    expect((await rangeOf(clone, 'test.a_id_seq')).upper).toBeLessThan(range.lower);
    expect(await sync(clone)).toMatchObject({ held: 0 });
  });

  test('asks which one is meant when two have a name, and while one synchronises', async () => {
    const central = await createCentral('create schema test; create table test.a (id serial primary key)');
    const { file } = await packageTables(central);
    const [first, second] = [await createEmptyClone(), await createEmptyClone()];
    const { serverId } = await deployTo(first, central, file, { name: 'tablet' });
    await deployTo(second, central, file, { name: 'tablet' });
    const retire = (clone: string): ReturnType<typeof runLizsync> =>
      runLizsync(['retire', clone, '--central', central.url, '--yes']);
    expect(await retire('tablet')).toMatchObject({ code: 2, stderr: expect.stringContaining(serverId) });

    const busy = await central.connect();
    await busy.query(`begin; select lizsync.lock_link('${serverId}')`);
    expect(await retire(serverId)).toMatchObject({ code: 4 });
    await busy.query('rollback');
    expect(await retire(serverId)).toMatchObject({ code: 0 });
    expect(await retire('tablet')).toMatchObject({ code: 0 });
  });
});
