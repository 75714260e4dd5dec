import { describe, expect, test } from 'vitest';
import { planDeploy } from '../../src/core/plan-deploy.js';
import { synchronize } from '../../src/core/sync.js';
import { createCentral, createEmptyClone, deployTo, packageTables } from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { getCloneServer, getTestServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';

const central = getTestServer();
const clone = getCloneServer();
const [ofCentral, ofClone] = [central, clone].map(({ version }) => Math.floor(version / 10_000)) as [number, number];

/** `describe` for tests that need two servers of two kinds; see LIZSYNC_TEST_CLONE_SERVER. */
function describeWhen(condition: boolean, title: string, reason: string, body: () => void): void {
  describe.skipIf(!condition)(condition ? title : `${title} [skipped: ${reason}]`, body);
}

describeWhen(
  ofCentral >= 18 && ofClone === 15,
  'a clone on PostgreSQL 15',
  'the central is not on 18, the clone on 15',
  () => {
    const tables = `
    create schema test;
    create table test.plain (id integer primary key, n integer not null, note text);
    create table test.virtual (id integer primary key, twice integer generated always as (id * 2) virtual);
    create index on test.virtual (id desc);
    create table test.temporal (id integer, during daterange, primary key (id, during without overlaps));
    create table test.temporal_child (id integer, during daterange,
      foreign key (id, period during) references test.temporal);
    create table test.unenforced (id integer references test.plain not enforced, check (id > 0) not enforced);
    create table test.late (id integer);
    alter table test.late add constraint id_there not null id not valid;
    create table test.named (id integer constraint "must be" not null no inherit);
    create collation test.builtin (provider = builtin, locale = 'C.UTF-8');
    create table test.collated (id integer primary key, t text collate test.builtin);
    create table test.newer (id integer default random(1, 6), r text default uuidv7()::text)`;

    test('names all that it lacks, before any row is loaded, and stays as it was', async () => {
      const database = await createCentral(`create extension btree_gist; ${tables}`);
      const { file } = await packageTables(database);
      const target = await createEmptyClone();
      const steps: string[] = [];
      const error = await refusal(
        deployTo(target, database, file, {}, (event) => steps.push(event.kind === 'transfer' ? 'rows' : event.text)),
      );
      expect(error.message).toBe("the clone's PostgreSQL 15 does not have all that the package of PostgreSQL 18 needs");
      const named = [
        'generated always as ((id * 2)) virtual',
        'without overlaps',
        'period during',
        'foreign key (id) references test.plain(id) not enforced',
        'check ((id > 0)) not enforced',
        'id_there not null id not valid',
        'constraint "must be" not null no inherit',
        'create collation test.builtin',
        'random(1, 6)',
        'uuidv7()',
      ];
      const text = error.details.join('\n').toLowerCase();
      expect(named.filter((part) => !text.includes(part))).toEqual([]);
      // each once, and nothing that only follows from it
      expect(error.details).toHaveLength(named.length);
      expect(steps).not.toContain('rows');
      expect(
        await target.value(`select count(*)::integer from pg_namespace where nspname in ('test', 'lizsync', 'audit')`),
      ).toBe(0);
      const plan = await planDeploy({
        archive: file,
        central: toSettings(database.url),
        clone: toSettings(target.url),
      });
      expect(plan.refusals.map(({ message }) => message)).toContain(error.message);
    });
  },
);

describeWhen(ofCentral !== ofClone, 'servers of two versions', 'both are of one version', () => {
  test('hold the same after deploy, sync and deploy again', async () => {
    const database = await createCentral(`
      create schema test;
      create type test.mood as enum ('good', 'bad');
      create table test.a (id integer generated always as identity primary key, m test.mood not null default 'good', note text,
        twice integer generated always as (id * 2) stored);
      create table test.b (id serial primary key, a_id integer references test.a on delete cascade, d date not null)
        partition by range (id);
      create table test.b1 partition of test.b for values from (0) to (1000000000);
      create view test.v as select a.id, count(*) as n from test.a join test.b on b.a_id = a.id group by a.id;
      insert into test.a (note) select 'note ' || i from generate_series(1, 50) as i;
      insert into test.b (a_id, d) select id, '2024-01-01' from test.a`);
    const target = await createEmptyClone();
    await deployTo(target, database, (await packageTables(database, { withViews: true })).file);
    await database.query(`update test.a set note = 'central' where id = 1`);
    await target.query(`update test.a set m = 'bad' where id = 1; delete from test.b where a_id = 2`);
    await synchronize({ central: toSettings(database.url), clone: toSettings(target.url) });
    for (const name of ['a', 'b', 'v']) {
      const rows = `select * from test.${name} order by id`;
      expect(await target.query(rows)).toEqual(await database.query(rows));
    }
    await target.query('create view public.of_v as select * from test.v');
    const again = await deployTo(target, database, (await packageTables(database, { withViews: true })).file);
    expect(again.kind).toBe('in place');
    expect(await target.value('select count(*)::integer from public.of_v')).toBe(49);
  });
});

describeWhen(
  central.hasPostgis && !clone.hasPostgis,
  'a server without an extension',
  'the central has no PostGIS, or the clone has it',
  () => {
    test('names it with the command that installs it, and the clone stays as it was', async () => {
      const database = await createCentral(`
        create schema test; create extension postgis; create table test.place (id integer, g geometry(Point, 4326))`);
      const { file } = await packageTables(database);
      const target = await createEmptyClone();
      const error = await refusal(deployTo(target, database, file));
      expect(error.message).toBe("the clone's server lacks extensions that the tables need");
      expect(error.details).toEqual([expect.stringMatching(/^postgis \(3\.\d+\.\d+ in the central\)$/)]);
      expect(error.hint).toContain(`apt install postgresql-${ofClone}-postgis-3.`);
      expect(
        await target.value(`select count(*)::integer from pg_namespace where nspname in ('test', 'lizsync', 'audit')`),
      ).toBe(0);
    });
  },
);
