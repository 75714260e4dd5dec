import { execFile } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { withArchive } from '../../src/archive/archive-reader.js';
import { readSchemaScript } from '../../src/archive/schema-script.js';
import { readTableDefinitions } from '../../src/core/read-table-definitions.js';
import { synchronize } from '../../src/core/sync.js';
import { withConnection, withTransaction } from '../../src/db/connection.js';
import { createDatabase, type TestDatabase, uniqueName, withMaintenance } from '../support/database.js';
import {
  collectWarnings,
  createCentral,
  createEmptyClone,
  createFolder,
  deployTo,
  packageTables,
} from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { describeWithPgDump, describeWithPostgis } from '../support/requirements.js';
import { withRangesOf } from '../support/sequence-bounds.js';
import { getCloneServer, getTestServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';

const servers = [getTestServer(), getCloneServer()];
const areOfOneVersion = servers[0]?.version === servers[1]?.version;
const zooSchemas = ['zoo', 'Zoo "B"'];

/** What is new in versions of PostgreSQL. */
const newerZoo = {
  15: `
    create table zoo.nulls (id integer primary key, a integer, unique nulls not distinct (a));
    create unique index nulls_index on zoo.nulls (a, id) nulls not distinct;
    create type elsewhere.exact as (n numeric(3, -2));
    create table zoo.scales (a numeric(2, -3), b numeric(3, 5), c elsewhere.exact);
    create table zoo.nulls_of_parts (id integer, a text, unique nulls not distinct (id, a)) partition by hash (id);
    create table zoo.nulls_of_part partition of zoo.nulls_of_parts for values with (modulus 1, remainder 0);
    create table zoo.sets_some (a integer, b integer, c text default 'x', foreign key (a, b) references zoo.parent (a, b)
      on delete set null (b)) with (fillfactor = 90);`,
  17: `
    create table zoo.identity_root (id integer generated always as identity, kind text) partition by list (kind);
    create table zoo.identity_leaf partition of zoo.identity_root for values in ('a');
    create table zoo.excluded_parts (id integer, place integer, exclude using btree (id with =, place with =)) partition by list (id);
    create table zoo.excluded_part partition of zoo.excluded_parts default;
    create collation elsewhere.builtin_c (provider = builtin, locale = 'C.UTF-8');
    create table zoo.collated (a text collate elsewhere.builtin_c, b integer);
    alter table zoo.collated alter b set statistics 5, alter b set statistics default;`,
  18: `
    create extension btree_gist;
    create table zoo.virtual (id integer primary key, twice integer generated always as (id * 2) virtual,
      named integer constraint "must be" not null no inherit, late integer);
    alter table zoo.virtual add constraint late_not_null not null late not valid;
    alter table zoo.virtual add constraint not_enforced check (id > 0) not enforced;
    create table zoo.temporal (id integer, during daterange, primary key (id, during without overlaps));
    create table zoo.temporal_child (id integer, during daterange, foreign key (id, period during) references zoo.temporal (id, period during));
    create table zoo.unenforced (id integer references zoo.virtual not enforced);
    comment on constraint "must be" on zoo.virtual is 'It must be';
    comment on constraint late_not_null on zoo.virtual is 'It must be, later';
    create domain elsewhere.present as text constraint "is there" not null check (value <> '');
    create table zoo.temporal_unique (id elsewhere.present, during tstzrange, unique (id, during without overlaps) deferrable);
    create table zoo.temporal_parts (id integer, during daterange, primary key (id, during without overlaps)) partition by list (id);
    create table zoo.temporal_part partition of zoo.temporal_parts for values in (1, 2);
    create table zoo.not_nulls (id integer constraint "root's" not null, a text, b integer not null, v integer generated always as (b + 1))
      partition by list (id);
    create table zoo.not_nulls_1 (id integer constraint "leaf's" not null, a text constraint own_a not null, b integer not null,
      v integer generated always as (b + 1));
    alter table zoo.not_nulls attach partition zoo.not_nulls_1 for values in (1);
    create table zoo.not_nulls_2 partition of zoo.not_nulls (constraint named_a not null a) for values in (2);
    alter table zoo.not_nulls add constraint parts_not_valid foreign key (b) references zoo.parent not valid;
    alter table zoo.not_nulls add constraint parts_checked check (b > 0) not enforced;
    alter table zoo.not_nulls add constraint parts_unenforced foreign key (id) references zoo.parent not enforced;
    alter table heirs.ancestor alter constraint ancestor_b_not_null no inherit;`,
};

/** The zoo, with two roles that exist on the servers of the central and of the clone until the end of the test. */
async function readZoo(): Promise<string> {
  const names = [uniqueName('reader'), uniqueName('writer')];
  const ofDifferentPlaces = servers.filter(
    (server, index) => servers.findIndex(({ url }) => url === server.url) === index,
  );
  for (const server of ofDifferentPlaces) {
    const run = (sql: string): Promise<unknown> => withMaintenance(server, (client) => client.query(sql));
    // registered before the databases, so that they are dropped before the roles
    onTestFinished(async () => {
      await run(`drop role if exists ${names.join(', ')}`).catch(() => {});
    });
    await run(names.map((name) => `create role ${name}`).join('; '));
  }
  const text = await readFile(new URL('../fixtures/schema-zoo.sql', import.meta.url), 'utf8');
  const ofBuild = areOfOneVersion ? await readZooOfBuild() : '';
  const oldest = Math.min(...servers.map(({ version }) => version));
  const newer = Object.entries(newerZoo).map(([version, sql]) => (oldest >= Number(version) * 10_000 ? sql : ''));
  return [text, ...newer, ofBuild]
    .join('\n')
    .replaceAll('zoo_reader', names[0] ?? '')
    .replaceAll('"zoo ""W"" É"', names[1] ?? '');
}

/** What a server has only when it was built with it. */
async function readZooOfBuild(): Promise<string> {
  const { rows } = await withMaintenance(getTestServer(), (client) =>
    client.query<{ lz4: boolean; icu: boolean }>(`
      select (select 'lz4' = any (enumvals) from pg_settings where name = 'default_toast_compression') as lz4,
        exists (select from pg_collation where collprovider = 'i') as icu`),
  );
  return [
    rows[0]?.lz4 ? 'alter table zoo.storage add packed_well text compression lz4;' : '',
    rows[0]?.icu
      ? `create collation elsewhere.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         create table zoo.loose (id integer primary key, a text collate elsewhere.loose unique);`
      : '',
  ].join('\n');
}

/** The schemas of the zoo as pg_dump writes them, without the lines that differ from run to run. */
function dumpZoo(database: TestDatabase): Promise<string> {
  return dumpSchemas(database, ['zoo', '"Zoo ""B"""', 'elsewhere']);
}

/** What only clones have: triggers that warn when a range of numbers is used up. */
const warningTriggers =
  /--\n-- Name: .* lizsync_audit_range; Type: TRIGGER; .*\n--\n\nCREATE TRIGGER lizsync_audit_range BEFORE INSERT .*\n\n\n/g;

async function dumpSchemas(database: TestDatabase, patterns: string[]): Promise<string> {
  const { pgDump } = database.server;
  const schemas = patterns.flatMap((schema) => ['--schema', schema]);
  const { stdout } = await promisify(execFile)(
    pgDump ?? '',
    ['--schema-only', '--no-owner', ...schemas, database.url],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout
    .replace(/^\\(un)?restrict .*$/gm, '')
    .replace(/^-- Dumped .*$/gm, '')
    .replace(warningTriggers, '');
}

/** All that the catalogs say about the schemas of the zoo. */
async function describeZoo(database: TestDatabase): Promise<string[]> {
  const sql = await readFile(new URL('../support/describe-tables.sql', import.meta.url), 'utf8');
  const rows = await database.query<{ line: string }>(sql, [[...zooSchemas, 'elsewhere']]);
  return rows.map(({ line }) => line);
}

/** The statements that would make the tables of a database anew. */
async function readDefinitions(database: TestDatabase, condition: string): Promise<string[]> {
  return withConnection(toSettings(database.url), (connection) =>
    withTransaction(connection, { readOnly: true }, async () => {
      const rows = await connection.query<{ oid: number }>(
        `select c.oid from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and ${condition}
        order by c.relispartition, n.nspname, c.relname`,
      );
      const { preData, postData } = await readTableDefinitions(
        connection,
        rows.map(({ oid }) => oid),
      );
      const statements = [...preData, ...postData].map(({ sql }) => sql);
      return (areOfOneVersion ? statements : statements.flatMap(forgetWhatIsNew)).sort();
    }),
  );
}

/** The statements that would make the tables of a central in a clone, where sequences have ranges of their own. */
async function readDefinitionsFor(clone: TestDatabase, central: TestDatabase, condition: string): Promise<string[]> {
  const definitions = await readDefinitions(central, condition);
  return (await withRangesOf(clone, central, definitions.join('\0'))).split('\0').sort();
}

/** Until PostgreSQL 18 "not null" had no name, until 17 there was no right to maintain. */
function forgetWhatIsNew(sql: string): string[] {
  return sql.startsWith('grant maintain ')
    ? []
    : [sql.replace(/ constraint ("(?:[^"]|"")+"|\w+) not null/g, ' not null')];
}

const zooTables = `(n.nspname in ('zoo', 'Zoo "B"') or c.relname like 'measured%')`;

describe('what a package carries', () => {
  test('the definitions of the tables read the same in the clone as in the central', async () => {
    const central = await createCentral(await readZoo(), { schemas: zooSchemas });
    const clone = await createEmptyClone();
    const { warnings, onProgress } = collectWarnings();
    const { file, leftOut } = await packageTables(central, { schemas: zooSchemas }, onProgress);
    expect(leftOut).toEqual(['foreign key "child_outside" of zoo.child to outside.target, a table outside']);
    expect(warnings).toEqual([`not in the package: ${leftOut[0]}`]);
    await deployTo(clone, central, file);
    expect(await readDefinitions(clone, zooTables)).toEqual(await readDefinitionsFor(clone, central, zooTables));

    // and once more over the clone that is there now
    const second = await packageTables(central, { schemas: zooSchemas });
    await deployTo(clone, central, second.file);
    expect(await readDefinitions(clone, zooTables)).toEqual(await readDefinitionsFor(clone, central, zooTables));
  });

  test.skipIf(!areOfOneVersion)('the catalogs say the same about them', async () => {
    const central = await createCentral(await readZoo(), { schemas: zooSchemas });
    const clone = await createEmptyClone();
    const { file } = await packageTables(central, { schemas: zooSchemas });
    await central.query('alter table zoo.child drop constraint child_outside');
    await deployTo(clone, central, file);
    const lines = await withRangesOf(clone, central, (await describeZoo(central)).join('\0'));
    const [ofCentral, ofClone] = [lines.split('\0'), await describeZoo(clone)];
    expect(ofCentral.length).toBeGreaterThan(1000);
    expect(ofClone.filter((line) => !ofCentral.includes(line))).toEqual([]);
    expect(ofCentral.filter((line) => !ofClone.includes(line))).toEqual([]);
  });

  test('inherited columns, defaults and constraints stay inherited', async () => {
    const source = await createDatabase(getTestServer());
    await source.query(await readZoo());
    const target = await createDatabase(getTestServer());
    const statements = await readDefinitionsInOrder(source, `n.nspname = 'heirs'`);
    await target.query(statements.join('\n'));
    expect(await readDefinitionsInOrder(target, `n.nspname = 'heirs'`)).toEqual(statements);
    const inherited = `select attrelid::regclass::text as name, attname, attislocal, attinhcount, pg_get_expr(adbin, adrelid) as value
      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attrelid::regclass::text like 'heirs.%' and attnum > 0 order by 1, attnum`;
    expect(await target.query(inherited)).toEqual(await source.query(inherited));
    const constraints = `select conrelid::regclass::text as name, conname, conislocal, coninhcount, connoinherit
      from pg_constraint where conrelid::regclass::text like 'heirs.%' order by 1, 2`;
    expect(await target.query(constraints)).toEqual(await source.query(constraints));
  });

  test('a function that another calls in its body comes along, unless it needs what cannot', async () => {
    const central = await createCentral(`
      create schema test; create schema tools;
      create table tools.outside (id integer);
      create function tools.second() returns integer language sql as $$ select 2 $$;
      create function tools.first() returns integer language plpgsql as $$ begin return tools . second ( ); end $$;
      create function tools.unfit(p tools.outside) returns integer language sql as $$ select 3 $$;
      create function tools.unrelated() returns integer language sql as $$ select 4 $$;
      create function tools.calls_both() returns integer language plpgsql as $$
        begin return tools.first() + tools.unfit(null::tools.outside); end $$;
      create table test.a (id integer default tools.calls_both())`);
    const clone = await createEmptyClone();
    const { file, leftOut } = await packageTables(central);
    expect(leftOut).toEqual([
      'function tools.unfit(tools.outside), which another seems to call: it needs table tools.outside',
    ]);
    await deployTo(clone, central, file);
    expect(
      await clone.query(
        `select oid::regprocedure::text as name from pg_proc where pronamespace = 'tools'::regnamespace order by 1`,
      ),
    ).toEqual([{ name: 'tools.calls_both()' }, { name: 'tools.first()' }, { name: 'tools.second()' }]);
  });

  test('what cannot be carried is named, with who needs it', async () => {
    const central = await createCentral(`
      create schema test; create schema other;
      create table other.outside (id integer);
      create table test.a (id integer, o other.outside)`);
    const error = await refusal(packageTables(central));
    expect(error.message).toBe('the tables depend on something that a package cannot carry');
    expect(error.details).toEqual(['table other.outside, which is needed by type other.outside']);
  });

  test('what belongs to the tables but has no place in a package is named', async () => {
    const tablespace = uniqueName('space');
    await withMaintenance(getTestServer(), async (client) => {
      await client.query('set allow_in_place_tablespaces = on');
      await client.query(`create tablespace ${tablespace} location ''`);
    });
    onTestFinished(async () => {
      await withMaintenance(getTestServer(), (client) => client.query(`drop tablespace ${tablespace}`));
    });
    const central = await createCentral(`
      create schema test;
      create table test.a (id integer primary key, b integer);
      create table test.b (id integer primary key references test.a);
      create index in_space on test.a (b) tablespace ${tablespace};
      create table test.parts (id integer) partition by hash (id);
      create table test.part partition of test.parts for values with (modulus 1, remainder 0) tablespace ${tablespace};
      create publication of_two for table test.a, test.b;
      create extension cube;
      create function test.f() returns integer language sql as 'select 1';
      alter table test.a alter b set default test.f();
      alter function test.f() depends on extension cube;
      insert into test.a values (1, 1), (2, 1);
      alter table test.b disable trigger all`);
    await expect(central.query('create unique index concurrently failed on test.a (b)')).rejects.toThrow(
      'could not create',
    );
    const client = await central.connect();
    await client.query(`set allow_system_table_mods = on; insert into pg_seclabel
      select 'test.a'::regclass, 'pg_class'::regclass, 2, 'selinux', 'secret'`);
    const expected = [
      'index test.failed, which is not valid',
      'publication of_two, which has test.a, test.b',
      'that constraint b_id_fkey of test.b is not enforced, since its triggers are switched off: it is enforced in clones',
      'that function test.f() depends on extension cube',
      'the security label of selinux on table column test.a.b',
      `the tablespace ${tablespace} of index test.in_space`,
      `the tablespace ${tablespace} of table test.part`,
    ];
    if (getTestServer().version >= 150_000) {
      await central.query(
        'create unlogged sequence test.s; alter table test.b add n bigint default nextval($$test.s$$)',
      );
      expected.splice(4, 0, 'that sequence test.s is unlogged: it is an ordinary one in clones');
    }
    const { warnings, onProgress } = collectWarnings();
    const { file, leftOut } = await packageTables(central, {}, onProgress);
    expect(leftOut).toEqual(expected);
    expect(warnings).toEqual(expected.map((text) => `not in the package: ${text}`));
    // and the rest is
    const clone = await createEmptyClone();
    await deployTo(clone, central, file);
    expect(await clone.value('select b from test.a where id = 2')).toBe(1);
    expect(await clone.value(`select to_regclass('test.in_space') is not null`)).toBe(true);
    await central.drop();
  });

  test('what tables cannot be without is refused by name before anything is written', async () => {
    const central = await createCentral(`
      create schema test; create schema other;
      create access method heap_too type table handler heap_tableam_handler;
      create aggregate other.total (integer) (sfunc = int4pl, stype = integer);
      create function other.sum_up(integer[]) returns bigint language sql immutable
        begin atomic select other.total(v) from unnest($1) as v; end;
      create table test.special (id integer) using heap_too;
      create table test.aggregated (id integer, v integer[], check (other.sum_up(v) > 0));
      create type other.base; create function other.base_in(cstring) returns other.base language internal immutable strict as 'textin';
      create function other.base_out(other.base) returns cstring language internal immutable strict as 'textout';
      create type other.base (input = other.base_in, output = other.base_out, like = text);
      create table test.based (id other.base);
      create operator other.=== (function = int4eq, leftarg = integer, rightarg = integer);
      create table test.operated (id integer, check (id operator(other.===) 1));
      create table test.parts (id integer) partition by range (id)`);
    const folder = await createFolder();
    const error = await refusal(packageTables(central, { output: path.join(folder, 'package.zip') }));
    expect(error.message).toBe('the tables depend on something that a package cannot carry');
    expect(error.details).toEqual(
      expect.arrayContaining([
        'access method heap_too, which is needed by table test.special',
        expect.stringContaining('aggregate other.total(integer), which is needed by function other.sum_up(integer[])'),
        expect.stringContaining('type other.base, which is needed by'),
        expect.stringContaining('operator other.===(integer,integer), which is needed by'),
      ]),
    );
    expect(await readdir(folder)).toEqual([]);

    // partitions that were made since the tables were prepared
    await central.query(`
      create unlogged table test.part partition of test.parts for values from (1) to (2);
      create foreign data wrapper nowhere; create server nowhere foreign data wrapper nowhere;
      create foreign table test.far partition of test.parts for values from (2) to (3) server nowhere`);
    const partitions = await refusal(
      packageTables(central, { schemas: [], tables: [{ schema: 'test', table: 'parts' }] }),
    );
    expect(partitions.details).toEqual([
      'test.parts has the partition test.part, which is unlogged',
      'test.parts has the partition test.far, which is a foreign table',
    ]);
  });

  test('an extension is created where the central has it', async () => {
    const central = await createCentral(
      `create schema test; create table test.a (id integer, h "My extensions".hstore default 'a=>1')`,
      { beforeInstallation: 'create schema "My extensions"; create extension hstore schema "My extensions"' },
    );
    await central.query(`
      create schema geo; create extension cube schema "My extensions"; create extension earthdistance schema geo;
      alter table test.a add column place geo.earth`);
    await central.query(`insert into test.a (id) values (1)`);
    const clone = await createEmptyClone();
    const { file } = await packageTables(central);
    await deployTo(clone, central, file);
    expect(await clone.query('select id, h::text from test.a')).toEqual([{ id: 1, h: '"a"=>"1"' }]);
    expect(
      await clone.value(`select extnamespace::regnamespace::text from pg_extension where extname = 'hstore'`),
    ).toBe('"My extensions"');
  });

  test('excluded columns are in the table of the clone, empty, and stay excluded', async () => {
    const central = await createCentral(
      `create schema test; create table test.a (id integer, secret text, note text default 'none')`,
      {
        excludeColumns: [
          { schema: 'test', table: 'a', column: 'secret' },
          { schema: 'test', table: 'a', column: 'note' },
        ],
      },
    );
    await central.query(`insert into test.a values (1, 's3cret', 'n0te')`);
    const clone = await createEmptyClone();
    const { file } = await packageTables(central);
    await deployTo(clone, central, file);
    expect(await clone.query('select id, secret, note from test.a')).toEqual([{ id: 1, secret: null, note: 'none' }]);
    expect(await clone.query('select excluded_columns from audit.logged_relations')).toEqual([
      { excluded_columns: ['note', 'secret'] },
    ]);
  });

  test('an excluded column that must have a value is refused', async () => {
    const central = await createCentral(`create schema test; create table test.a (id integer, secret text not null)`);
    await central.query(`update audit.logged_relations set excluded_columns = '{secret}'`);
    const error = await refusal(packageTables(central));
    expect(error.details).toEqual(['test.a.secret']);
  });
});

async function readDefinitionsInOrder(database: TestDatabase, condition: string): Promise<string[]> {
  return withConnection(toSettings(database.url), (connection) =>
    withTransaction(connection, { readOnly: true }, async () => {
      const rows = await connection.query<{ oid: number }>(
        `select c.oid from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and ${condition} order by c.relname`,
      );
      const oids = rows.map(({ oid }) => oid);
      const { preData, postData } = await readTableDefinitions(connection, oids);
      return [...preData, ...postData].map(({ sql }) => sql);
    }),
  );
}

describeWithPgDump('what pg_dump says', servers, () => {
  test.skipIf(!areOfOneVersion)('the tables of the clone are those of the central', async () => {
    const central = await createCentral(await readZoo(), { schemas: zooSchemas });
    // what has no place in the clone
    const clone = await createEmptyClone();
    const { file } = await packageTables(central, { schemas: zooSchemas });
    await central.query('alter table zoo.child drop constraint child_outside');
    await deployTo(clone, central, file);
    expect(await dumpZoo(clone)).toBe(await withRangesOf(clone, central, await dumpZoo(central)));
  });
});

describeWithPostgis('geometries', servers, () => {
  test('keep their type, SRID, dimensions and every digit', async () => {
    const central = await createCentral(`
      create schema test; create schema gis; create extension postgis schema gis;
      create table test.place (
        id serial primary key, any_geometry gis.geometry, point_zm gis.geometry(PointZM, 4326),
        area gis.geometry(MultiPolygon, 2154), spot gis.geography(Point, 4326),
        line_m gis.geometry(LineStringM, 27572), solid gis.geometry(PolyhedralSurfaceZ), far gis.geography(PointZM, 4326),
        boxes gis.box2d, box gis.box3d, points gis.geometry(Point, 3857)[],
        inside boolean generated always as (gis.st_within(area, gis.st_makeenvelope(0, 0, 10, 10, 2154))) stored,
        check (gis.st_isvalid(area))
      );
      create index on test.place using gist (any_geometry);
      create index on test.place using gist (spot) where id > 0;
      create index on test.place using gist (point_zm gis.gist_geometry_ops_nd) with (fillfactor = 70);
      create index on test.place using spgist (area);
      create index on test.place using brin (line_m gis.brin_geometry_inclusion_ops_2d);
      create index on test.place using gist (gis.st_transform(area, 4326));
      create index on test.place (any_geometry);
      insert into test.place (any_geometry, point_zm, area, spot) values
        (gis.st_geomfromtext('GEOMETRYCOLLECTION Z (POINT Z EMPTY, LINESTRING Z (0 0 0.1, 1 1 1e-300))', 3857),
         gis.st_geomfromewkt('SRID=4326;POINT ZM (0.1 0.2 0.30000000000000004 1e300)'),
         gis.st_geomfromewkt('SRID=2154;MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), EMPTY)'),
         gis.st_geogfromtext('POINT(3.8767 43.6108)')),
        (gis.st_geomfromtext('POINT EMPTY'), null, gis.st_geomfromtext('MULTIPOLYGON EMPTY', 2154), null)`);
    const clone = await createEmptyClone();
    const { file } = await packageTables(central);
    await deployTo(clone, central, file);
    const rows = `select id, encode(gis.st_asewkb(any_geometry), 'hex') as a, encode(gis.st_asewkb(point_zm), 'hex') as b,
      encode(gis.st_asewkb(area), 'hex') as c, encode(gis.st_asewkb(spot::gis.geometry), 'hex') as d from test.place order by id`;
    expect(await clone.query(rows)).toEqual(await central.query(rows));
    const condition = `n.nspname = 'test'`;
    expect(await readDefinitions(clone, condition)).toEqual(await readDefinitionsFor(clone, central, condition));
    if (areOfOneVersion) {
      const dump = await withRangesOf(clone, central, await dumpSchemas(central, ['test']));
      expect(await dumpSchemas(clone, ['test'])).toBe(dump);
    }
  });
});

describe('the rows of a package', () => {
  test('are exact whatever the databases are set to', async () => {
    const values = `
      create schema test;
      create table test.a (
        id integer primary key, d date, t timestamp, tz timestamptz, i interval, f double precision, r real, n numeric,
        b bytea, m money, txt text, js json, x xml, ar text[][], rg tstzrange, c "char", bits bit(3)
      );
      insert into test.a values
        (1, '2024-03-04', '0044-03-15 12:00:00.123456 BC', '2024-10-27 02:30:00.000001+02', '1 year -2 mons +3 days -04:05:06.7',
         0.1 + 0.2, 0.1, 1e-30, '\\x005c27ff', 1234.56, e'\\\\N\\ttab\\nline\\r\\\\ \\x7f "É" 😀', '{"a": "\\u0000", "b": 1.10}',
         '<a>é</a>', '[0:1][5:6]={{a,NULL},{"NULL",""}}', '[2024-01-01 00:00+01, infinity)', 'é', '101'),
        (2, 'infinity', '-infinity', 'infinity', '0', 'NaN', '-Infinity', 'NaN', '', -0.01, '', 'null', '', '{}', 'empty', '', '000'),
        (3, '5874897-12-31', '294276-12-31 23:59:59.999999', '4713-01-01 00:00:00+00 BC', '-178000000 years', '-0', '-0', 1e1000,
         null, null, '\\.', '"\\\\"', null, null, '[,]', '\\', '111'),
        (4, null, null, null, null, 1e-323, 3.4028235e38, -12345678901234567890.0987654321, null, null, null, null, null, null, null, null, null)`;
    const hostile = [
      `datestyle = 'SQL, DMY'`,
      `intervalstyle = 'sql_standard'`,
      'extra_float_digits = 0',
      `bytea_output = 'escape'`,
      `timezone = 'Asia/Kathmandu'`,
      `default_transaction_isolation = 'serializable'`,
      `search_path = 'lizsync, nowhere'`,
      `default_tablespace = ''`,
      `xmloption = 'document'`,
      'row_security = off',
      'statement_timeout = 0',
      'quote_all_identifiers = on',
    ];
    const set = async (database: TestDatabase): Promise<void> => {
      for (const setting of hostile) await database.query(`alter database "${database.name}" set ${setting}`);
      await database.close();
    };
    const central = await createCentral(values);
    await set(central);
    const clone = await createEmptyClone();
    await set(clone);
    const { file, rows } = await packageTables(central);
    expect(rows).toBe(4);
    await deployTo(clone, central, file);
    const read = async (database: TestDatabase): Promise<unknown> => {
      const client = await database.connect({
        options:
          '-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c timezone=UTC -c xmloption=content',
      });
      const result = await client.query(
        `select (a.*)::text as row, f::text, r::text, n::text, d::text from test.a order by id`,
      );
      return result.rows;
    };
    expect(await read(clone)).toEqual(await read(central));
    expect(await readDefinitions(clone, `n.nspname = 'test'`)).toEqual(
      await readDefinitions(central, `n.nspname = 'test'`),
    );
  });

  test('of a partitioned table find their partitions', async () => {
    const central = await createCentral(`
      create schema test;
      create table test.m (id integer, kind text) partition by list (kind);
      create table test.m_a partition of test.m for values in ('a');
      create table test.m_rest partition of test.m default partition by hash (id);
      create table test.m_rest_0 partition of test.m_rest for values with (modulus 2, remainder 0);
      create table test.m_rest_1 partition of test.m_rest for values with (modulus 2, remainder 1)`);
    await central.query(
      `insert into test.m select i, case i % 3 when 0 then 'a' else 'b' end from generate_series(1, 90) as i`,
    );
    const clone = await createEmptyClone();
    const { file, tables } = await packageTables(central);
    expect(tables).toBe(1);
    await deployTo(clone, central, file);
    const counts = `select tableoid::regclass::text as name, count(*)::integer from test.m group by 1 order by 1`;
    expect(await clone.query(counts)).toEqual(await central.query(counts));
  });

  test('are those of one moment; what is edited meanwhile comes with the first sync', async () => {
    const central = await createCentral(`
      create schema test; create table test.a (id integer primary key, note text); create table test.b (id integer, note text)`);
    await central.query(`insert into test.a select i, 'old' from generate_series(1, 100) as i`);
    await central.query(`insert into test.b select i, 'old' from generate_series(1, 100) as i`);
    // begun before the package and committed after it
    const slow = await central.connect();
    await slow.query(`begin; update test.a set note = 'slow' where id = 1`);
    let edits: Promise<unknown> | undefined;
    const { file } = await packageTables(central, {}, (event) => {
      if (event.kind !== 'transfer' || event.tableNumber !== 1) return;
      edits ??= central.query(
        `with gone as (delete from test.a where id = 2) update test.b set note = 'new' where id = 3`,
      );
    });
    await edits;
    await slow.query('commit');
    const clone = await createEmptyClone();
    await deployTo(clone, central, file);
    expect(await clone.value(`select count(*)::integer from test.a where note = 'old'`)).toBe(100);
    expect(await clone.value(`select count(*)::integer from test.b where note = 'old'`)).toBe(100);

    await synchronize({ central: toSettings(central.url), clone: toSettings(clone.url) });
    for (const table of ['a', 'b']) {
      const rows = `select * from test.${table} order by id`;
      expect(await clone.query(rows)).toEqual(await central.query(rows));
    }
    expect(await clone.query(`select note from test.a where id = 1`)).toEqual([{ note: 'slow' }]);
  });
});

describe('which tables are packaged', () => {
  test('those of schemas and those that are named; the rest of a schema is named as left out', async () => {
    const central = await createCentral(
      `create schema test; create table test.a (id integer); create table public.p (id integer)`,
    );
    await central.query(`select audit.enable_relation('test', 'a')`);
    await central.query(`
      alter table public.p add uid uuid not null unique default gen_random_uuid();
      select audit.enable_relation('public', 'p');
      create unlogged table test.u (id integer); create view test.v as select 1 as one`);
    const { file, leftOut } = await packageTables(central, { tables: [{ schema: 'public', table: 'p' }] });
    expect(leftOut).toEqual(['test.u, which is unlogged', 'test.v, which is a view']);
    await withArchive(file, async ({ manifest }) => {
      expect(manifest.tables.map(({ schema, name }) => `${schema}.${name}`)).toEqual(['public.p', 'test.a']);
    });
  });

  test('tables that are not prepared are refused with the command that prepares them', async () => {
    const central = await createCentral(`create schema test; create table test.a (id integer)`);
    await central.query(`create table test."B c" (id integer); create schema other; create table other.t (id integer)`);
    const some = await refusal(packageTables(central));
    expect(some.hint).toBe(`Run: lizsync prepare-central --central --tables 'test."B c"'`);
    expect(some.details).toEqual(['test."B c": no uid column, no audit triggers']);
    await central.query(`
      drop table test."B c"; create table test.p (id integer, uid uuid not null default gen_random_uuid()) partition by range (id);
      select audit.enable_relation('test', 'p'); create table test.p1 partition of test.p default`);
    const late = await refusal(packageTables(central));
    expect(late.details).toEqual(['test.p: no audit triggers']);
    const all = await refusal(packageTables(central, { schemas: ['other'] }));
    expect(all.hint).toBe('Run: lizsync prepare-central --central --schemas other');
  });

  test('what does not exist, or cannot be packaged, is a mistake of the user', async () => {
    const central = await createCentral(
      `create schema test; create table test.a (id integer); create view test.v as select 1`,
    );
    const missing = await refusal(
      packageTables(central, { schemas: ['test', 'nowhere'], tables: [{ schema: 'test', table: 'b' }] }),
    );
    expect(missing.exitCode).toBe(2);
    expect(missing.details).toEqual([
      'schema "nowhere" does not exist or has no table',
      'table "test"."b" does not exist',
    ]);
    const view = await refusal(packageTables(central, { schemas: [], tables: [{ schema: 'test', table: 'v' }] }));
    expect(view.details).toEqual(['test.v is a view']);
    const whole = await refusal(packageTables(central, { schemas: ['public', 'pg_catalog'] }));
    expect(whole.message).toContain('never packaged as a whole');
  });

  test('a database that is not a central is refused', async () => {
    const database = await createDatabase(getTestServer());
    const error = await refusal(packageTables(database));
    expect(error.hint).toContain('lizsync install --central');
  });
});

describe('the file', () => {
  test('is readable by its owner alone, holds no password, and its scripts are what they are', async () => {
    const central = await createCentral(`create schema test; create table test.a (id integer)`);
    const folder = await createFolder();
    const after = path.join(folder, 'after.sql');
    await writeFile(after, 'select 1;\n');
    const { file, packageId, bytes } = await packageTables(central, { sqlAfter: after });
    const facts = await stat(file);
    expect(facts.size).toBe(bytes);
    if (process.platform !== 'win32') expect(facts.mode & 0o777).toBe(0o600);
    await withArchive(file, async (archive) => {
      expect(archive.manifest.packageId).toBe(packageId);
      expect(archive.manifestSha256).toBe(
        await central.value('select manifest_sha256 from lizsync.packages where package_id = $1', [packageId]),
      );
      expect(await archive.readText('after.sql')).toBe('select 1;\n');
      const preData = await archive.readText('schema/pre-data.sql');
      expect(readSchemaScript(preData, packageId, 'pre-data').map(({ kind, identity }) => [kind, identity])).toEqual([
        ['schema', 'test'],
        ['table', 'test.a'],
        ['detail', ''],
      ]);
      const texts = [preData, await archive.readText('schema/post-data.sql'), JSON.stringify(archive.manifest)];
      expect(texts.join()).not.toContain(new URL(central.url).password);
    });
  });

  test('of a failed run is not there, and the one from before is', async () => {
    const central = await createCentral(`
      create schema test; create table test.a (id integer); insert into test.a select generate_series(1, 1000)`);
    const folder = await createFolder();
    const output = path.join(folder, 'package.zip');
    await writeFile(output, 'before');
    for (const rows of [0, 1]) {
      const run = packageTables(central, { output }, (event) => {
        if (event.kind === 'transfer' && event.rows >= rows) throw new Error('whoever listens fails');
      });
      await expect(run).rejects.toThrow('whoever listens fails');
    }
    expect(await readdir(folder)).toEqual(['package.zip']);
    expect(await readFile(output, 'utf8')).toBe('before');
    expect(await central.value('select count(*)::integer from lizsync.packages')).toBe(0);
  });

  test('is not left behind when the central goes away or the work is interrupted', async () => {
    const central = await createCentral(`
      create schema test; create table test.a (id integer, t text);
      insert into test.a select i, repeat(md5(i::text), 100) from generate_series(1, 20000) as i`);
    const folder = await createFolder();
    const output = path.join(folder, 'package.zip');
    let killing: Promise<unknown> | undefined;
    const error = await refusal(
      packageTables(central, { output }, (event) => {
        if (event.kind !== 'transfer') return;
        killing ??= central.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
           and application_name = 'lizsync'`,
        );
      }),
    );
    expect(error.exitCode).toBe(1);
    await killing;
    expect(await readdir(folder)).toEqual([]);

    const controller = new AbortController();
    await refusal(
      packageTables(central, { output, signal: controller.signal }, (event) => {
        if (event.kind === 'transfer' && event.rows > 0) controller.abort();
      }),
    );
    expect(await readdir(folder)).toEqual([]);
    expect(await central.value('select count(*)::integer from lizsync.packages')).toBe(0);
  });

  test('that cannot be written is refused before anything is read', async () => {
    const central = await createCentral(`create schema test; create table test.a (id integer)`);
    const error = await refusal(packageTables(central, { output: path.join(await createFolder(), 'none', 'x.zip') }));
    expect(error.exitCode).toBe(2);
  });
});
