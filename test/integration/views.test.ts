import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectArchive } from '../../src/core/inspect-archive.js';
import { planDeploy } from '../../src/core/plan-deploy.js';
import { runLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import {
  collectWarnings,
  createCentral,
  createEmptyClone,
  createFolder,
  deployTo,
  packageTables,
} from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { getCloneServer, getTestServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';

const isNew = Math.min(getTestServer().version, getCloneServer().version) >= 150_000;

const tables = `
  create schema test; create schema tools;
  create table test.a (id integer primary key, b integer, note text);
  insert into test.a select i, i % 3, 'note ' || i from generate_series(1, 9) as i;
  create function tools.twice(integer) returns integer language sql immutable as 'select $1 * 2'`;

// the names are in another order than what depends on what
const views = `
  create type tools.pair as (x integer, y text);
  create view test."1st É" as select * from test.a;
  create view test.all_of_a with (security_barrier) as select id, b, note as "Note", tools.twice(b) as double_b from test."1st É" where b > 0;
  create view test.checked as select id, b from test.a where b < 2 with local check option;
  create view test.cascaded as select id, b from test.checked where id > 0 with cascaded check option;
  create view test.grouped as select id, b, count(*) over () as n from test.a group by id;
  create view test.pairs (p, "Q") as select row(id, note)::tools.pair, 1::numeric(5, 2) from test.a;
  create recursive view test.numbers (n) as values (1) union all select n + 1 from numbers where n < 4;
  create materialized view test.m with (fillfactor = 60) as select b, count(*) as n from test.all_of_a group by b;
  create unique index m_key on test.m (b) include (n);
  create materialized view test.empty as select * from test.m with no data;
  create view test.b_of_m as select b from test.m;
  create view test.constant as select 1 as one, 'x'::text as two;
  alter view test.all_of_a alter column "Note" set default 'new';
  create function tools.insert_a() returns trigger language plpgsql
    as $$ begin insert into test.a (id, b, note) values (new.id, new.b, new."Note"); return new; end $$;
  create trigger insert_a instead of insert on test.all_of_a for each row execute function tools.insert_a();
  create rule no_delete as on delete to test.pairs do instead nothing;
  comment on view test.all_of_a is 'All of ''a''';
  comment on column test.all_of_a."Note" is 'The note';
  comment on materialized view test.m is 'Counts';
  comment on column test.m.n is 'How many';
  comment on index test.m_key is 'Key of m';
  comment on trigger insert_a on test.all_of_a is 'Inserts'`;

const lost = `
  create table tools.outside (id integer);
  create view test.of_outside as select * from tools.outside;
  create view test.of_view_of_outside as select * from test.of_outside;
  create sequence tools.unused;
  create view test.of_sequence as select last_value from tools.unused;
  create view test.of_conflicts as select count(*) from lizsync.conflicts;
  create view test.of_other_view as select * from tools.unpackaged;`;

/** Everything about views: their definitions, options, columns, triggers, rules, indexes and comments. */
async function describeViews(database: TestDatabase): Promise<unknown[]> {
  return database.query(`
    select c.relname, c.relkind, c.reloptions, c.relispopulated, pg_get_viewdef(c.oid) as definition,
      (select array_agg(format('%s %s %s', attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)) order by attnum)
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum where attrelid = c.oid and attnum > 0) as columns,
      (select array_agg(pg_get_triggerdef(t.oid)) from pg_trigger as t where t.tgrelid = c.oid) as triggers,
      (select array_agg(pg_get_ruledef(r.oid) order by rulename) from pg_rewrite as r where r.ev_class = c.oid) as rules,
      (select array_agg(pg_get_indexdef(indexrelid)) from pg_index where indrelid = c.oid) as indexes,
      (select array_agg(description order by description) from pg_description where objoid = c.oid) as comments
    from pg_class as c where c.relnamespace = 'test'::regnamespace and c.relkind in ('v', 'm') order by c.relname`);
}

describe('views of the packaged schemas', () => {
  test('are left out, and named, unless they are asked for', async () => {
    const central = await createCentral(`${tables}; create view test.v as select * from test.a`);
    const { file, leftOut, views: count } = await packageTables(central);
    expect(count).toBe(0);
    expect(leftOut).toEqual(['test.v, which is a view']);
    const clone = await createEmptyClone();
    await deployTo(clone, central, file);
    expect(await describeViews(clone)).toEqual([]);
  });

  test('come along exactly, in the order in which they need each other', async () => {
    const central = await createCentral(`${tables}; ${views}`);
    if (isNew) await central.query('create view test.invoker with (security_invoker = true) as select * from test.a');
    const { file, leftOut, views: count } = await packageTables(central, { withViews: true });
    expect(leftOut).toEqual([]);
    expect(count).toBe(isNew ? 12 : 11);
    expect((await inspectArchive(file)).views).toHaveLength(count);
    const clone = await createEmptyClone();
    await deployTo(clone, central, file);
    const described = await describeViews(clone);
    expect(described).toEqual(await describeViews(central));
    expect(await clone.query('select * from test.m order by b')).toEqual(
      await central.query('select * from test.m order by b'),
    );
    await clone.query(`insert into test.all_of_a (id, b) values (100, 1)`);
    expect(await clone.query('select note from test.a where id = 100')).toEqual([{ note: 'new' }]);
    await expect(clone.query('insert into test.cascaded values (101, 5)')).rejects.toThrow('check option');
  });

  test('that cannot be carried are named, the others are carried', async () => {
    const central = await createCentral(tables);
    await central.query(
      `create view tools.unpackaged as select * from test.a; ${lost}; create view test.good as select * from test.a`,
    );
    const { warnings, onProgress } = collectWarnings();
    const { file, leftOut, views: count } = await packageTables(central, { withViews: true }, onProgress);
    expect(count).toBe(1);
    expect([...leftOut].sort()).toEqual([
      'view test.of_conflicts: it needs lizsync',
      'view test.of_other_view: it needs view tools.unpackaged',
      'view test.of_outside: it needs table tools.outside',
      'view test.of_sequence: it needs sequence tools.unused',
      'view test.of_view_of_outside: it needs table tools.outside',
    ]);
    expect(warnings).toEqual(leftOut.map((text) => `not in the package: ${text}`));
    const clone = await createEmptyClone();
    await deployTo(clone, central, file);
    expect(await clone.query(`select viewname from pg_views where schemaname in ('test', 'tools')`)).toEqual([
      { viewname: 'good' },
    ]);
  });

  test('are replaced by the next deploy; what others use in the clone stays while it is the same', async () => {
    const central = await createCentral(`${tables}; ${views}`);
    const clone = await createEmptyClone();
    await deployTo(clone, central, (await packageTables(central, { withViews: true })).file);
    await clone.query(`create view public.of_clone as select * from test.all_of_a; grant select on test.m to public`);

    // the same structure, other rows: everything stays
    await central.query(`insert into test.a values (50, 2, 'late')`);
    const same = await packageTables(central, { withViews: true });
    const { warnings, onProgress } = collectWarnings();
    expect((await deployTo(clone, central, same.file, {}, onProgress)).kind).toBe('in place');
    expect(warnings).toEqual([]);
    expect(await clone.value('select n::integer from test.m where b = 2')).toBe(4);
    expect(await clone.value(`select has_table_privilege('public', 'test.m', 'select')`)).toBe(true);
    expect(await describeViews(clone)).toEqual(await describeViews(central));

    // a view that others use has become another
    await central.query(`create or replace view test.all_of_a with (security_barrier) as
      select id, b, note as "Note", tools.twice(b) as double_b, 1 as more from test."1st É" where b > 1`);
    const other = await packageTables(central, { withViews: true });
    const used = await refusal(deployTo(clone, central, other.file));
    expect(used.message).toBe("the view test.all_of_a of the clone is another one than the central's, and is used");
    await clone.query('drop view public.of_clone');
    await deployTo(clone, central, other.file);
    expect(await describeViews(clone)).toEqual(await describeViews(central));

    // tables are made anew with the views on them
    await central.query('alter table test.a add column c integer default 7');
    const changed = await packageTables(central, { withViews: true });
    const plan = await planDeploy({
      archive: changed.file,
      central: toSettings(central.url),
      clone: toSettings(clone.url),
    });
    expect({ kind: plan.kind, refusals: plan.refusals }).toEqual({ kind: 'rebuild', refusals: [] });
    await deployTo(clone, central, changed.file);
    expect(await describeViews(clone)).toEqual(await describeViews(central));
    expect(await clone.value('select c from test.a limit 1')).toBe(7);
  });

  test('are asked for on the command line, as are the jobs', async () => {
    const central = await createCentral(`${tables}; create view test.v as select * from test.a`);
    const output = path.join(await createFolder(), 'package.zip');
    const run = (...args: string[]) =>
      runLizsync(['package', '--central', central.url, '--schemas', 'test', '--output', output, '--json', ...args]);
    expect((await run()).json).toMatchObject({ tables: 1, views: 0, left_out: ['test.v, which is a view'] });
    expect((await run('--with-views', '--jobs', '3')).json).toMatchObject({ tables: 1, views: 1, left_out: [] });
    expect((await run('--jobs', '0')).code).toBe(2);
  });

  test('are refused where the clone has another view of that name', async () => {
    const central = await createCentral(`${tables}; create view test.v as select * from test.a`);
    const { file } = await packageTables(central, { withViews: true });
    const clone = await createEmptyClone();
    await clone.query('create schema test; create view test.v as select 1 as one');
    const error = await refusal(deployTo(clone, central, file));
    expect(error.message).toBe("the view test.v of the clone is another one than the central's");
    expect(await clone.value(`select to_regclass('test.a')`)).toBe(null);
  });
});
