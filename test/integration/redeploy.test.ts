import { describe, expect, test } from 'vitest';
import { prepareCentral } from '../../src/core/prepare-central.js';
import { synchronize } from '../../src/core/sync.js';
import { createRole, type TestDatabase } from '../support/database.js';
import { describeDatabase } from '../support/describe-database.js';
import { collectWarnings, createCentral, createEmptyClone, deployTo, packageTables } from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { getCloneServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';

const schema = `
  create schema test;
  create function test.stamp() returns trigger language plpgsql as $$ begin new.stamp := 'stamped'; return new; end $$;
  create table test.owner (id integer primary key, name text not null unique);
  create table test.parcel (
    id bigint generated always as identity primary key, owner_id integer references test.owner, area numeric check (area > 0),
    stamp text, twice numeric generated always as (area * 2) stored
  );
  create index parcel_area on test.parcel (area) where area > 3;
  comment on index test.parcel_area is 'for the big ones';
  create trigger stamp before insert on test.parcel for each row execute function test.stamp();
  create trigger never before update on test.parcel for each row execute function test.stamp();
  alter table test.parcel disable trigger never;
  create table test.reading (id integer, at date, primary key (id, at)) partition by range (at);
  create table test.reading_2025 partition of test.reading for values from ('2025-01-01') to ('2026-01-01');
  create table test.reading_2026 partition of test.reading for values from ('2026-01-01') to ('2027-01-01');
  create index on test.reading (at);
  create table test.secret (id integer primary key);
  alter table test.secret enable row level security;
  alter table test.secret force row level security;
  create policy nobody on test.secret using (id < 0)`;

async function createLargeCentral(): Promise<TestDatabase> {
  const central = await createCentral(schema);
  await central.query(`insert into test.owner select i, 'owner ' || i from generate_series(1, 20) as i`);
  await central.query(
    `insert into test.parcel (owner_id, area) select 1 + i % 20, i from generate_series(1, 12000) as i`,
  );
  await central.query(`insert into test.reading select i, date '2025-12-01' + i from generate_series(1, 100) as i`);
  await central.query('insert into test.secret values (7)');
  return central;
}

const tables = ['owner', 'parcel', 'reading', 'secret'];

async function expectSameRows(clone: TestDatabase, central: TestDatabase, names = tables): Promise<void> {
  for (const table of names) {
    const rows = `select * from test.${table} order by id`;
    expect(await clone.query(rows)).toEqual(await central.query(rows));
  }
}

/** Everything that is defined in the schemas of users, in words. Names of tables have their oids. */
function describeDefinitions(database: TestDatabase): Promise<unknown[]> {
  return database.query(`
    with c as (
      select c.* from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where n.nspname in ('test', 'public')
    )
    select c.relname::text as name, c.oid::text || c.relkind::text || c.relforcerowsecurity || coalesce(c.relacl::text, '') as facts
      from c where c.relkind not in ('i', 'I')
    union all select c.relname, pg_get_indexdef(c.oid) || coalesce(obj_description(c.oid, 'pg_class'), '')
      from c where c.relkind in ('i', 'I')
    union all select k.conname, pg_get_constraintdef(k.oid) || k.convalidated || coalesce(obj_description(k.oid, 'pg_constraint'), '')
      from pg_constraint as k join c on c.oid = k.conrelid
    union all select t.tgname, pg_get_triggerdef(t.oid) || t.tgenabled::text from pg_trigger as t join c on c.oid = t.tgrelid where not t.tgisinternal
    union all select p.polname, pg_get_expr(p.polqual, p.polrelid) from pg_policy as p join c on c.oid = p.polrelid
    union all select c.relname, pg_get_viewdef(c.oid) from c where c.relkind in ('v', 'm')
    order by 1, 2`);
}

describe('a deploy of tables whose definitions are the same', () => {
  test('replaces the rows and leaves everything that the clone has made of the tables', async () => {
    const central = await createLargeCentral();
    const clone = await createEmptyClone();
    const role = await createRole(getCloneServer());
    expect(await deployTo(clone, central, (await packageTables(central)).file)).toMatchObject({ kind: 'new' });
    await clone.query(`
      create view public.big as select p.id, o.name from test.parcel p join test.owner o on o.id = p.owner_id where area > 11990;
      create view public.count as select count(*) as n from public.big;
      -- depends on the primary key
      create view public.grouped as select o.id, o.name, count(*) from test.owner o join test.parcel p on p.owner_id = o.id group by o.id;
      create materialized view public.total as select sum(area) as area from test.parcel;
      create index parcel_of_clone on test.parcel using hash (owner_id);
      comment on index test.parcel_of_clone is 'of the clone';
      grant select, update (name) on test.owner to ${role.name};
      comment on column test.owner.name is 'said in the clone';
      create table public.note (owner integer constraint of_owner references test.owner on delete cascade, t text);
      comment on constraint of_owner on public.note is 'kept';
      insert into public.note values (3, 'about three');
      create table public.special () inherits (test.secret);
      insert into public.special values (1);
      create function public.fail() returns trigger language plpgsql as $$ begin raise 'no'; end $$`);
    const definitions = await describeDefinitions(clone);

    await central.query(`
      delete from test.parcel where id <= 10; update test.parcel set area = area + 0.5 where id > 11000;
      insert into test.owner values (21, 'new'); delete from test.reading where id < 50; delete from test.secret;
      insert into test.secret values (8)`);
    const logged = 'select count(*)::integer, max(event_id) from audit.logged_actions';
    const before = await clone.query(logged);
    const { warnings, onProgress } = collectWarnings();
    const result = await deployTo(clone, central, (await packageTables(central)).file, {}, onProgress);
    expect(result).toMatchObject({ kind: 'in place', tables: 4 });
    expect(warnings).toContain('these materialized views show what was there before: public.total');

    expect(await describeDefinitions(clone)).toEqual(definitions);
    await expectSameRows(clone, central).catch(async () => {
      // the table of the clone that inherits has a row of its own
      for (const table of tables.slice(0, 3)) {
        const rows = `select * from test.${table} order by id`;
        expect(await clone.query(rows)).toEqual(await central.query(rows));
      }
      expect(await clone.query('select id from only test.secret')).toEqual([{ id: 8 }]);
    });
    expect(await clone.query('select id from public.special')).toEqual([{ id: 1 }]);
    expect(await clone.query('select * from public.note')).toEqual([{ owner: 3, t: 'about three' }]);
    expect(await clone.query(logged)).toEqual(before);

    // and all of it works
    await clone.query(`insert into test.parcel (owner_id, area) values (21, 1)`);
    expect(await clone.value(`select stamp from test.parcel where owner_id = 21`)).toBe('stamped');
    await clone.query('delete from test.owner where id = 3').then(
      () => expect.unreachable('parcels refer to it'),
      (error: Error) => expect(error.message).toContain('violates foreign key'),
    );
    await clone.query(`insert into public.note values (99)`).then(
      () => expect.unreachable('there is no such owner'),
      (error: Error) => expect(error.message).toContain('of_owner'),
    );
    await central.query(`update test.reading set at = at + 1 where id = 60`);
    const sync = await synchronize({ central: toSettings(central.url), clone: toSettings(clone.url) });
    expect(sync).toMatchObject({ pushed: 1, pulled: 1, conflicts: 0, held: 0 });
  });

  test('is refused when rows of the clone refer to rows that are no longer there', async () => {
    const central = await createLargeCentral();
    const clone = await createEmptyClone();
    await deployTo(clone, central, (await packageTables(central)).file);
    await clone.query(`
      create table public.note (owner integer constraint of_owner references test.owner on delete cascade);
      insert into public.note values (3)`);
    await central.query('delete from test.parcel where owner_id = 3; delete from test.owner where id = 3');
    const { file } = await packageTables(central);
    const before = [await describeDatabase(clone), await describeDefinitions(clone)];
    const error = await refusal(deployTo(clone, central, file));
    expect(error.message).toContain('a foreign key of the clone would be violated by the package');
    expect(error.message).toContain('of_owner');
    expect([await describeDatabase(clone), await describeDefinitions(clone)]).toEqual(before);
    expect(await clone.value('select count(*)::integer from test.owner')).toBe(20);
    await clone.query('delete from public.note');
    await deployTo(clone, central, file);
    await expectSameRows(clone, central);
  });

  test('makes tables, partitions, indexes and comments that are new, and replaces functions', async () => {
    const central = await createLargeCentral();
    const clone = await createEmptyClone();
    await deployTo(clone, central, (await packageTables(central)).file);
    await clone.query(`create view public.mine as select id, at from test.reading`);
    await central.query(`
      create type test.mood as enum ('good', 'bad');
      create table test.later (id serial primary key, owner_id integer references test.owner, mood test.mood default 'bad');
      create table test.reading_2027 partition of test.reading for values from ('2027-01-01') to ('2028-01-01');
      create index on test.owner (lower(name));
      comment on table test.owner is 'who owns';
      create or replace function test.stamp() returns trigger language plpgsql as $$ begin new.stamp := 'later'; return new; end $$;
      alter table test.owner alter column name set default 'somebody'`);
    await prepareCentral({ central: toSettings(central.url), schemas: ['test'], tables: [] });
    await central.query(
      `insert into test.later (owner_id) values (4); insert into test.reading values (1000, '2027-05-05')`,
    );
    const result = await deployTo(clone, central, (await packageTables(central)).file);
    expect(result).toMatchObject({ kind: 'in place', tables: 5 });
    expect(await clone.query('select id, owner_id, mood::text from test.later')).toEqual([
      { id: 1, owner_id: 4, mood: 'bad' },
    ]);
    expect(await clone.value('select count(*)::integer from public.mine')).toBe(101);
    expect(await clone.value(`select obj_description('test.owner'::regclass)`)).toBe('who owns');
    await clone.query(
      `insert into test.owner (id) values (50); insert into test.parcel (owner_id, area) values (50, 1)`,
    );
    expect(await clone.value(`select stamp from test.parcel where owner_id = 50`)).toBe('later');
    const definitions = `select indexname, indexdef from pg_indexes where schemaname = 'test' order by 1`;
    expect(await clone.query(definitions)).toEqual(await central.query(definitions));
    const sync = await synchronize({ central: toSettings(central.url), clone: toSettings(clone.url) });
    expect(sync).toMatchObject({ pushed: 2, held: 0 });
  });

  test('knows a change that was made on both sides by hand as none', async () => {
    const central = await createLargeCentral();
    const clone = await createEmptyClone();
    await deployTo(clone, central, (await packageTables(central)).file);
    await clone.query(`create view public.mine as select * from test.owner`);
    for (const database of [central, clone]) {
      await database.query(`alter table test.owner add column born date not null default '2000-01-01'`);
    }
    expect(await deployTo(clone, central, (await packageTables(central)).file)).toMatchObject({ kind: 'in place' });
    await expectSameRows(clone, central);
  });
});

describe('a deploy of tables whose definitions have changed', () => {
  async function createChanged(): Promise<{ central: TestDatabase; clone: TestDatabase; file: string; role: string }> {
    const central = await createLargeCentral();
    const clone = await createEmptyClone();
    const role = await createRole(getCloneServer());
    await deployTo(clone, central, (await packageTables(central)).file);
    await clone.query(`
      create view public.big as select id, area from test.parcel;
      create view public.count as select count(*) as n from public.big;
      create materialized view public.total as select n from public.count;
      create table public.note (owner integer references test.owner, kind test.parcel default null);
      create index parcel_of_clone on test.parcel (stamp);
      create index parcel_area_of_clone on test.parcel (area, owner_id);
      grant select on test.parcel to ${role.name}`);
    await central.query(`alter table test.parcel drop column stamp; drop trigger stamp on test.parcel`);
    await central.query(`alter table test.parcel add column height integer`);
    return { central, clone, file: (await packageTables(central)).file, role: role.name };
  }

  test('is refused when something of the clone depends on them, and names it', async () => {
    const { central, clone, file } = await createChanged();
    const before = [await describeDatabase(clone), await describeDefinitions(clone)];
    const error = await refusal(deployTo(clone, central, file));
    expect(error.message).toBe('other objects of the clone depend on tables that the package replaces');
    expect(error.details).toEqual(
      expect.arrayContaining([
        'constraint note_owner_fkey on table public.note depends on table test.owner',
        'table public.note depends on type test.parcel',
        'view public.big depends on table test.parcel',
      ]),
    );
    expect(error.details.at(-1)).toContain('the definitions differ: table test.parcel; CREATE TRIGGER stamp');
    expect(error.hint).toContain('--cascade');
    expect([await describeDatabase(clone), await describeDefinitions(clone)]).toEqual(before);
  });

  test('drops with --cascade what depends on them, names all of it, and keeps what still fits', async () => {
    const { central, clone, file, role } = await createChanged();
    const { warnings, onProgress } = collectWarnings();
    const result = await deployTo(clone, central, file, { cascade: true }, onProgress);
    expect(result).toMatchObject({ kind: 'rebuild' });
    expect(warnings.filter((text) => text.startsWith('dropped: '))).toEqual([
      'dropped: column kind of table public.note',
      'dropped: constraint note_owner_fkey on table public.note',
      'dropped: materialized view public.total',
      'dropped: view public.big',
      'dropped: view public.count',
    ]);
    expect(warnings.filter((text) => text.startsWith('no longer in the clone: '))).toEqual([
      'no longer in the clone: CREATE INDEX parcel_of_clone ON test.parcel USING btree (stamp);',
    ]);
    const left = `select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm')`;
    expect(await clone.query(left)).toEqual([{ relname: 'note' }]);
    expect(await clone.value(`select to_regclass('test.parcel_area_of_clone') is not null`)).toBe(true);
    expect(await clone.value(`select has_table_privilege($1, 'test.parcel', 'select')`, [role])).toBe(true);
    await expectSameRows(clone, central);
  });
});
