import { beforeAll, describe, expect, test } from 'vitest';
import {
  type PrepareCentralOptions,
  type PrepareCentralResult,
  prepareCentral,
} from '../../src/core/prepare-central.js';
import { upgrade } from '../../src/core/upgrade.js';
import type { ConnectionSettings } from '../../src/db/connection-settings.js';
import { runLizsync } from '../support/cli.js';
import { createDatabase, createRole, prepareTemplate, type TestDatabase } from '../support/database.js';
import { refusal } from '../support/refusal.js';
import { getTestServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';

const server = getTestServer();
const longName = `É${'x'.repeat(61)}`;
let template: string;

beforeAll(async () => {
  template = await prepareTemplate(server, 'prepare_central', async (database) => {
    await upgrade(toSettings(database.url), { role: 'central', install: true, dryRun: false });
  });
});

async function createCentral(sql: string): Promise<TestDatabase> {
  const database = await createDatabase(server, { template });
  await database.query(sql);
  return database;
}

function prepare(
  database: TestDatabase,
  options: Partial<Omit<PrepareCentralOptions, 'central'>>,
): Promise<PrepareCentralResult> {
  return prepareCentral({ central: toSettings(database.url), schemas: [], tables: [], ...options });
}

/** Reads `schema.table` names without quotes. */
function tables(...names: string[]): { schema: string; table: string }[] {
  return names.map((name) => {
    const [schema = '', table = ''] = name.split('.');
    return { schema, table };
  });
}

/** Columns and triggers of all tables of users: what a refused run must leave as it is. */
function describeTables(database: TestDatabase): Promise<unknown[]> {
  return database.query(`
    select c.oid::regclass::text as name, string_agg(a.attname, ' ' order by a.attnum) as columns,
      (select count(*)::integer from pg_trigger t where t.tgrelid = c.oid) as triggers,
      (select count(*)::integer from audit.logged_relations) as logged
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema|audit|lizsync)'
    group by c.oid order by name`);
}

function readUid(database: TestDatabase, table: string): Promise<unknown[]> {
  return database.query(
    `select format_type(atttypid, atttypmod) as type, attnotnull as not_null, pg_get_expr(adbin, adrelid) as default,
      (select array_agg(pg_get_constraintdef(oid)) from pg_constraint where conrelid = attrelid and contype in ('u', 'p')
        and conkey = array[attnum]) as keys
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = $1::regclass and attname = 'uid'`,
    [table],
  );
}

const completeUid = { type: 'uuid', not_null: true, default: 'gen_random_uuid()', keys: ['UNIQUE (uid)'] };

describe('prepare-central as a command', () => {
  test('prepares the tables of schemas and those named, and finds everything there the second time', async () => {
    const central = await createCentral(`
      create schema test; create table test.b (id serial primary key); create table test.a (n text);
      create schema "S.1"; create table "S.1"."T,""2" (n text); create table public.parcel (id integer)`);
    const options = [
      '--central',
      central.url,
      '--schemas',
      'test',
      '--tables',
      '"S.1"."T,""2",public.parcel',
      '--json',
    ];
    const first = await runLizsync(['prepare-central', ...options]);
    expect(first.stderr).not.toMatch(/error/i);
    expect(first.code).toBe(0);
    const names = first.json.tables.map(({ schema, table }: { schema: string; table: string }) => `${schema}/${table}`);
    expect(names).toEqual(['S.1/T,"2', 'public/parcel', 'test/a', 'test/b']);
    for (const table of first.json.tables) {
      expect(table).toMatchObject({ uid: 'added', triggers: 'added', excluded_columns: [] });
    }
    const second = await runLizsync(['prepare-central', ...options]);
    for (const table of second.json.tables) expect(table).toMatchObject({ uid: 'present', triggers: 'present' });
    expect(second.json.tables).toHaveLength(4);
  });

  test('refuses with 1 and names each table, its problem and what to do', async () => {
    const central = await createCentral(`
      create schema test; create table test.fine (); create table test.bad (uid text unique);
      create view test.v as select 1 as a`);
    const result = await runLizsync([
      ...['prepare-central', '--central', central.url, '--schemas', 'test', '--tables', 'test.v,test.gone'],
    ]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('test.bad: its column uid is of type text, not uuid');
    expect(result.stderr).toContain('test.v: is a view');
    expect(result.stderr).toContain('test.gone: there is no such table');
    expect(result.stderr).not.toContain('test.fine');
    expect(await central.value('select count(*)::integer from audit.logged_relations')).toBe(0);
  });

  test('wants names with their schema', async () => {
    const central = await createCentral('create table public.parcel ()');
    const result = await runLizsync(['prepare-central', '--central', central.url, '--tables', 'parcel']);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/SCHEMA\.TABLE/);
  });
});

describe('prepare-central', () => {
  test('adds the uid that the user could have written, with values for the rows that are there', async () => {
    const central = await createCentral(`create schema s; create table s.t as select generate_series(1, 100) as n`);
    await prepare(central, { schemas: ['s'] });
    expect(await readUid(central, 's.t')).toEqual([completeUid]);
    expect(await central.value('select count(distinct uid)::integer from s.t')).toBe(100);
    // what was there before is not a change
    expect(await central.value('select count(*)::integer from audit.logged_actions')).toBe(0);
    await central.query('insert into s.t values (101)');
    expect(await central.value('select new_values::text from audit.logged_actions')).toBe('"n"=>"101"');
  });

  test.each(['a"b', 'a.b', 'É', 'Select', 'a b', "it's", 'a,b', longName, '%s $1', 'schema'])(
    'works for a schema, a table and a column that are called %s',
    async (name) => {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
      const quoted = `"${name.replaceAll('"', '""')}"`;
      const central = await createCentral(`
        create schema ${quoted}; create table ${quoted}.${quoted} (${quoted} text, secret text)`);
      const exclude = { schema: name, table: name, column: 'secret' };
      const first = await prepare(central, { schemas: [name], excludeColumns: [exclude] });
      const table = { schema: name, table: name, excludedColumns: ['secret'] };
      expect(first.tables).toEqual([{ ...table, uid: 'added', triggers: 'added' }]);
      await central.query(`insert into ${quoted}.${quoted} values ('x', 'hidden')`);
      const logged = await central.query(`
        select schema_name, table_name, new_values::json as values from audit.logged_actions join audit.logged_relations using (relation_id)`);
      expect(logged).toEqual([{ schema_name: name, table_name: name, values: { [name]: 'x' } }]);
      const second = await prepare(central, { tables: [{ schema: name, table: name }] });
      expect(second.tables).toEqual([{ ...table, uid: 'present', triggers: 'present' }]);
    },
  );

  test('completes a uid that lacks its default or NOT NULL, and takes a primary key as it is', async () => {
    const central = await createCentral(`
      create function public.uuid_of_mine() returns uuid language sql as 'select gen_random_uuid()';
      create schema s;
      create table s.nullable (uid uuid unique, n text); insert into s.nullable values (gen_random_uuid());
      create table s.key (uid uuid primary key default public.uuid_of_mine());
      create table s.key2 (uid uuid primary key)`);
    const result = await prepare(central, { schemas: ['s'] });
    expect(result.tables.map(({ table, uid }) => `${table} ${uid}`)).toEqual([
      'key present',
      'key2 completed',
      'nullable completed',
    ]);
    expect(await readUid(central, 's.nullable')).toEqual([completeUid]);
    expect(await readUid(central, 's.key')).toMatchObject([{ default: 'uuid_of_mine()', keys: ['PRIMARY KEY (uid)'] }]);
    expect(await readUid(central, 's.key2')).toMatchObject([
      { default: 'gen_random_uuid()', keys: ['PRIMARY KEY (uid)'] },
    ]);
  });

  test('prepares partitioned tables with all their partitions, and new partitions at the next run', async () => {
    const central = await createCentral(`
      create schema s; create schema elsewhere;
      create table s.root (id integer, k integer, primary key (id, k)) partition by range (k);
      create table s.leaf partition of s.root for values from (0) to (10);
      create table elsewhere.branch partition of s.root for values from (10) to (20) partition by list (id);
      create table s.twig partition of elsewhere.branch default;
      insert into s.root values (1, 1), (2, 11)`);
    const first = await prepare(central, { schemas: ['s'] });
    expect(first.tables).toEqual([
      { schema: 's', table: 'root', uid: 'added', triggers: 'added', excludedColumns: [] },
    ]);
    for (const leaf of ['s.leaf', 's.twig']) expect(await readUid(central, leaf)).toEqual([completeUid]);

    await central.query('create table s.new partition of s.root for values from (20) to (30)');
    const planned = await prepare(central, { schemas: ['s'], dryRun: true });
    expect(planned.tables).toMatchObject([{ table: 'root', uid: 'completed', triggers: 'added' }]);
    const second = await prepare(central, { schemas: ['s'] });
    expect(second.tables).toEqual(planned.tables);
    expect(await readUid(central, 's.new')).toEqual([completeUid]);
    await central.query('insert into s.new values (3, 21)');
    expect(await central.value('select count(*)::integer from audit.logged_actions')).toBe(1);
    expect((await prepare(central, { schemas: ['s'] })).tables).toMatchObject([
      { uid: 'present', triggers: 'present' },
    ]);

    const error = await refusal(prepare(central, { tables: tables('s.leaf'), schemas: ['elsewhere'] }));
    expect(error.details).toEqual([
      'elsewhere.branch: is a partition of s.root; name s.root: it is prepared with its partitions',
      's.leaf: is a partition of s.root; name s.root: it is prepared with its partitions',
    ]);
  });

  test('with a dry run reports what it would do and changes nothing', async () => {
    const central = await createCentral(`
      create schema s; create table s.a (); create table s.b (uid uuid unique)`);
    const before = await describeTables(central);
    const planned = await prepare(central, { schemas: ['s'], dryRun: true });
    expect(planned.dryRun).toBe(true);
    expect(await describeTables(central)).toEqual(before);
    const done = await prepare(central, { schemas: ['s'] });
    expect(done.tables).toEqual(planned.tables);
    expect(done.tables.map(({ uid }) => uid)).toEqual(['added', 'completed']);
  });

  test('of a schema leaves out views and what extensions brought', async () => {
    const central = await createCentral(`
      create schema s; create table s.t (); create view s.v as select 1 as a; create sequence s.q;
      create materialized view s.m as select 1 as a; create table s.of_extension ();
      alter extension hstore add table s.of_extension`);
    expect((await prepare(central, { schemas: ['s'] })).tables.map(({ table }) => table)).toEqual(['t']);
    const error = await refusal(prepare(central, { tables: tables('s.of_extension') }));
    expect(error.details).toEqual(['s.of_extension: belongs to the extension hstore; leave it out']);
    await central.query('alter extension hstore drop table s.of_extension');
  });

  test('refuses everything at once, names each, and changes nothing', async () => {
    const central = await createCentral(`
      create schema s; create schema "Upper"; create schema empty;
      create table s.fine (n integer);
      create table s.text_uid (uid text unique);
      create table s.not_unique (uid uuid not null);
      create table s.partly_unique (uid uuid not null, n integer); create unique index on s.partly_unique (uid) where n > 0;
      create table s.pair (uid uuid not null, n integer, unique (uid, n));
      create table s.deferred (uid uuid not null unique deferrable);
      create table s.nulls (uid uuid unique); insert into s.nulls values (null);
      create table s.computed (a text, uid uuid generated always as (md5(a)::uuid) stored unique);
      create unlogged table s.unlogged ();
      create table s.parent (); create table s.child () inherits (s.parent);
      create foreign data wrapper w; create server w foreign data wrapper w; create foreign table s.remote () server w;
      create type s.kind as (a integer); create table s.typed of s.kind;
      create table s.root (k integer) partition by list (k);
      create foreign table s.remote_part partition of s.root default server w;
      create view s.v as select 1 as a; create materialized view s.m as select 1 as a;
      create table "Upper"."Table" ()`);
    const before = await describeTables(central);
    const error = await refusal(
      prepare(central, {
        schemas: ['s', 'upper', 'public', 'audit', 'lizsync', 'pg_catalog', 'information_schema', 'empty', 'none'],
        tables: tables(
          's.v',
          's.m',
          's.gone',
          'upper.table',
          'lizsync.links',
          'pg_catalog.pg_class',
          'pg_catalog.pg_tables',
        ),
      }),
    );
    expect(error.exitCode).toBe(1);
    expect(error.hint).toContain('Nothing was changed');
    const problems = Object.fromEntries(
      error.details.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
    );
    const byTable = Object.fromEntries(Object.entries(problems).map(([name, text]) => [name, text.split('; ')[0]]));
    expect(byTable).toEqual({
      'lizsync.links': 'is a table of lizsync or PostgreSQL',
      'pg_catalog.pg_class': 'is a table of lizsync or PostgreSQL',
      'pg_catalog.pg_tables': 'is a table of lizsync or PostgreSQL',
      's.child': 'inherits from s.parent',
      's.computed': 'its column uid is generated',
      's.deferred': 'its column uid is not unique',
      's.gone': 'there is no such table',
      's.m': 'is a materialized view',
      's.not_unique': 'its column uid is not unique',
      's.nulls': 'its column uid holds nulls',
      's.pair': 'its column uid is not unique',
      's.parent': 's.child inherits from it',
      's.partly_unique': 'its column uid is not unique',
      's.remote': 'is a foreign table',
      's.root': 'its partition s.remote_part is a foreign table',
      's.text_uid': 'its column uid is of type text, not uuid',
      's.typed': 'is of type s.kind, so no column uid can be added',
      's.unlogged': 'is an unlogged table',
      's.v': 'is a view',
      'schema audit': 'is the place where lizsync keeps its own tables',
      'schema empty': 'has no tables',
      'schema information_schema': 'is a schema of PostgreSQL',
      'schema lizsync': 'is the place where lizsync keeps its own tables',
      'schema none': 'there is no such schema',
      'schema pg_catalog': 'is a schema of PostgreSQL',
      'schema public': 'is never taken as a whole',
      'schema upper': 'there is no such schema',
      'upper.table': 'there is no schema upper',
    });
    expect(problems['schema upper']).toContain('did you mean "Upper"');
    expect(problems['upper.table']).toContain('did you mean "Upper"."Table"');
    expect(await describeTables(central)).toEqual(before);

    const session = await central.connect();
    await session.query('create temporary table passing (a integer)');
    const found = await session.query(`select nspname from pg_namespace where oid = pg_my_temp_schema()`);
    const schema = found.rows[0].nspname;
    const temporary = await refusal(prepare(central, { tables: [{ schema, table: 'passing' }] }));
    expect(temporary.details[0]).toContain('is a temporary table');
  });

  test('says for a problem of uid what, when done, makes the table acceptable', async () => {
    const central = await createCentral(`
      create schema s;
      create table s.text_uid (uid text unique);
      create table s.not_unique (uid uuid not null);
      create table s.nulls (uid uuid unique); insert into s.nulls values (null);
      create unlogged table s.unlogged ()`);
    const error = await refusal(prepare(central, { schemas: ['s'] }));
    for (const detail of error.details) {
      const remedy = /((alter|update) .*;)$/.exec(detail)?.[1];
      expect(remedy, detail).toBeDefined();
      await central.query(remedy ?? '');
    }
    expect((await prepare(central, { schemas: ['s'] })).tables).toHaveLength(4);
  });

  test('refuses to exclude what a row can’t do without, and remembers what was excluded', async () => {
    const central = await createCentral(`
      create domain public.filled as text not null; create schema s;
      create table s.t (id integer primary key, needed text not null, filled public.filled, a text, b text, c text not null default '');
      create table s.p (k integer, v integer, w integer) partition by range ((k + v))`);
    const exclude = (table: string, ...columns: string[]) => columns.map((column) => ({ schema: 's', table, column }));
    const error = await refusal(
      prepare(central, {
        schemas: ['s'],
        excludeColumns: [
          ...exclude('t', 'id', 'needed', 'filled', 'uid', 'none', 'a'),
          ...exclude('p', 'k', 'w'),
          ...exclude('other', 'x'),
        ],
      }),
    );
    expect(error.details.map((line) => line.split(';')[0])).toEqual([
      's.other: columns are to be excluded, but the table is not among those to prepare',
      's.p: its column k is part of the partition key',
      's.t: it has no column "none" to exclude',
      's.t: its column filled is not null and has no default',
      's.t: its column id is part of the primary key',
      's.t: its column needed is not null and has no default',
      "s.t: its column uid can't be excluded",
    ]);
    const first = await prepare(central, { tables: tables('s.t'), excludeColumns: exclude('t', 'c', 'a') });
    expect(first.tables).toMatchObject([{ excludedColumns: ['a', 'c'] }]);
    const second = await prepare(central, { tables: tables('s.t'), excludeColumns: exclude('t', 'b', 'a') });
    expect(second.tables).toMatchObject([{ uid: 'present', triggers: 'added', excludedColumns: ['a', 'c', 'b'] }]);
    const third = await prepare(central, { tables: tables('s.t') });
    expect(third.tables).toMatchObject([{ triggers: 'present', excludedColumns: ['a', 'c', 'b'] }]);
    await central.query(`insert into s.t values (1, 'n', 'f', 'a', 'b', 'c')`);
    const values = await central.value<string>('select new_values::json from audit.logged_actions');
    expect(values).toEqual({ id: '1', needed: 'n', filled: 'f' });
  });

  test('names the table that somebody else has locked, and changes nothing', async () => {
    const central = await createCentral(
      'create schema s; create table s.a (); create table s."B" (); create table s.c ()',
    );
    const before = await describeTables(central);
    const other = await central.connect();
    await other.query('begin; lock table s.c in row exclusive mode');
    const error = await refusal(prepare(central, { schemas: ['s'], lockTimeoutSeconds: 0.2 }));
    expect(error.message).toBe('s.c is locked by somebody else');
    await other.query('rollback');
    expect(await describeTables(central)).toEqual(before);
    await prepare(central, { schemas: ['s'] });
    // nothing to add: readers are not disturbed
    await other.query('begin; lock table s.c in access share mode');
    await prepare(central, { schemas: ['s'], lockTimeoutSeconds: 0.2 });
  });

  test('can run several times at once', async () => {
    const central = await createCentral(
      `create schema s; ${'abcdefgh'.replace(/./g, 'create table s.$& (n integer);')}`,
    );
    const names = tables(...Array.from('hgfedcba', (name) => `s.${name}`));
    const results = await Promise.all([
      prepare(central, { schemas: ['s'] }),
      prepare(central, { tables: names }),
      prepare(central, { schemas: ['s'] }),
    ]);
    expect(results.filter(({ tables: [first] }) => first?.uid === 'added')).toHaveLength(1);
    expect(results.filter(({ tables: [first] }) => first?.uid === 'present')).toHaveLength(2);
  });

  test.skipIf(server.version < 150_000)(
    'names the rights that are missing, and they are all that is needed [from PostgreSQL 15]',
    async () => {
      const database = await createDatabase(server);
      const [admin, owner] = [await createRole(server), await createRole(server)];
      await database.query(`
      grant create on database ${database.name} to ${admin.name};
      grant set on parameter session_replication_role to ${admin.name};
      create extension dblink; create schema s authorization ${owner.name};
      create table s.t (n integer); alter table s.t owner to ${owner.name}`);
      const central = toSettings(admin.urlFor(database));
      await upgrade(central, { role: 'central', install: true, dryRun: false });
      const run = (settings: ConnectionSettings) => prepareCentral({ central: settings, schemas: ['s'], tables: [] });

      const foreign = await refusal(run(central));
      expect(foreign.details.some((line) => line.includes(`s.t: belongs to ${owner.name}`))).toBe(true);
      // a superuser may prepare it, but sync runs with the rights of the owner of lizsync
      const unusable = await refusal(run(toSettings(database.url)));
      expect(unusable.details).toHaveLength(1);
      const grants = /grant usage .*;$/.exec(unusable.details[0] ?? '')?.[0] ?? '';
      expect(grants).toContain(`grant select, insert, update, delete on s.t to ${admin.name};`);
      await database.query(grants);
      await run(toSettings(database.url));
      expect((await refusal(run(central))).details).toHaveLength(1);
      const membership = /grant .*;$/.exec(foreign.details[0] ?? '')?.[0] ?? '';
      expect(membership).toBe(`grant ${owner.name} to ${admin.name};`);
      await database.query(membership);
      expect((await run(central)).tables).toMatchObject([{ uid: 'present', triggers: 'present' }]);
      const table = await database.connect({ connectionString: owner.urlFor(database) });
      await table.query('insert into s.t values (1)');
      expect(await database.value('select count(*)::integer from audit.logged_actions')).toBe(1);
    },
  );

  test('is refused on a clone', async () => {
    const clone = await createDatabase(server);
    await upgrade(toSettings(clone.url), { role: 'clone', install: true, serverName: 'tablet', dryRun: false });
    await clone.query('create schema s; create table s.t ()');
    expect((await refusal(prepare(clone, { schemas: ['s'] }))).message).toContain(
      'is not a central but a clone ("tablet")',
    );
  });
});
