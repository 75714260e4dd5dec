import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectArchive } from '../../src/core/inspect-archive.js';
import { type DeployPlan, planDeploy } from '../../src/core/plan-deploy.js';
import { runLizsync } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { describeDatabase } from '../support/describe-database.js';
import { createCentral, createEmptyClone, createFolder, deployTo, packageTables } from '../support/packages.js';
import { refusal } from '../support/refusal.js';
import { rewriteArchive } from '../support/rewrite-archive.js';
import { toSettings } from '../support/settings.js';

const schema = `
  create schema test;
  create function test.stamp() returns trigger language plpgsql as $$ begin return new; end $$;
  create table test.owner (id integer primary key, name text);
  create table test.tree (id serial primary key, owner_id integer references test.owner, kind text);
  create trigger stamp before insert on test.tree for each row execute function test.stamp();
  insert into test.owner values (1, 'a'), (2, 'b');
  insert into test.tree (owner_id, kind) values (1, 'oak')`;

function plan(
  central: TestDatabase,
  clone: TestDatabase,
  archive: string,
  options: Partial<Parameters<typeof planDeploy>[0]> = {},
): Promise<DeployPlan> {
  return planDeploy({ ...options, archive, central: toSettings(central.url), clone: toSettings(clone.url) });
}

/** What a dry run must not change: everything, also what a sequence has given out. */
async function describeAll(...databases: TestDatabase[]): Promise<unknown> {
  const all: unknown[] = [];
  for (const database of databases) {
    all.push(await describeDatabase(database));
    if ((await database.value(`select to_regclass('lizsync.links')`)) === null) continue;
    all.push(
      await database.query(`
        select (select array_agg(l::text) from lizsync.links l) as links, (select array_agg(d::text) from lizsync.deployments d) as deployments,
          (select array_agg(m::text) from lizsync.server_metadata m) as servers, (select array_agg(p::text) from lizsync.packages p) as packages,
          (select array_agg(r::text) from audit.logged_relations r) as relations, (select count(*) from audit.logged_actions) as actions,
          (select array_agg(s.schemaname || s.sequencename || s.last_value order by 1) from pg_sequences s where s.schemaname = 'test') as sequences`),
    );
  }
  return all;
}

describe('a dry run of deploy', () => {
  test('says what a new clone would get, and leaves everything as it is', async () => {
    const central = await createCentral(schema);
    const clone = await createEmptyClone();
    const { file, packageId } = await packageTables(central);
    const before = await describeAll(central, clone);
    expect(await plan(central, clone, file, { name: 'tablet' })).toEqual({
      serverName: 'tablet',
      packageId,
      kind: 'new',
      tables: [
        { schema: 'test', name: 'owner', rows: 2, action: 'create' },
        { schema: 'test', name: 'tree', rows: 1, action: 'create' },
      ],
      rows: 3,
      differences: [],
      dropped: [],
      ended: [],
      extensions: [],
      unsentChanges: 0,
      refusals: [],
    });
    expect(await describeAll(central, clone)).toEqual(before);
  });

  test('says what would become of the tables and what depends on them, and leaves everything as it is', async () => {
    const central = await createCentral(schema);
    const clone = await createEmptyClone();
    await deployTo(clone, central, (await packageTables(central)).file);
    await clone.query(
      'create view public.v as select id from test.tree; create view public.w as select * from public.v',
    );
    const same = await packageTables(central, { schemas: [], tables: [{ schema: 'test', table: 'tree' }] });
    let before = await describeAll(central, clone);
    expect(await plan(central, clone, same.file)).toMatchObject({
      kind: 'in place',
      tables: [{ name: 'tree', rows: 1, action: 'replace rows' }],
      dropped: [],
      ended: ['test.owner'],
      refusals: [],
    });
    expect(await describeAll(central, clone)).toEqual(before);

    await central.query('alter table test.tree alter column kind type varchar(10)');
    await clone.query(`update test.tree set kind = 'ash'`);
    const changed = await packageTables(central);
    before = await describeAll(central, clone);
    const refused = await plan(central, clone, changed.file);
    expect(refused).toMatchObject({
      kind: 'rebuild',
      tables: [{ action: 'make anew' }, { action: 'make anew' }],
      differences: ['table test.tree'],
      dropped: ['view public.v', 'view public.w'],
      unsentChanges: 1,
    });
    expect(refused.refusals.map(({ message }) => message)).toEqual([
      expect.stringContaining('1 change of the clone'),
      'other objects of the clone depend on tables that the package replaces',
    ]);
    const allowed = await plan(central, clone, changed.file, { force: true, cascade: true });
    expect(allowed.refusals).toEqual([]);
    expect(await describeAll(central, clone)).toEqual(before);
  });

  test('names extensions that cannot be created, and whatever else stands in the way, all at once', async () => {
    const central = await createCentral(schema);
    const clone = await createEmptyClone();
    await clone.query('create schema test; create table test.tree (id integer)');
    const { file } = await packageTables(central);
    const changed = await rewriteArchive(file, (manifest) => {
      manifest.extensions = [{ name: 'no_such_extension', version: '3.1', schema: 'public' }];
    });
    expect((await refusal(plan(central, clone, changed))).message).toContain('was changed after');
    await central.query('delete from lizsync.packages');
    const before = await describeAll(central, clone);
    expect((await refusal(plan(central, clone, changed))).message).toContain('does not know this archive');
    const result = await plan(central, clone, changed, { trust: true });
    expect(result.extensions).toEqual([
      { name: 'no_such_extension', version: '3.1', schema: 'public', state: 'missing' },
    ]);
    expect(result.refusals).toMatchObject([
      {
        message: "the clone's server lacks extensions that the tables need",
        details: ['no_such_extension (3.1 in the central)'],
      },
      { message: expect.stringContaining('relations with the names of packaged tables'), details: ['test.tree'] },
    ]);
    expect((await refusal(deployTo(clone, central, changed, { trust: true }))).hint).toContain(
      'Install them on the machine of the clone',
    );
    expect(await describeAll(central, clone)).toEqual(before);
  });

  test('as a command ends with 0, or with 1 when the deploy would be refused, and prints both for people and programs', async () => {
    const central = await createCentral(schema);
    const clone = await createEmptyClone();
    const { file } = await packageTables(central);
    const args = ['deploy', file, '--dry-run', '--central', central.url, '--clone', clone.url, '--name', 'tablet'];
    const people = await runLizsync(args);
    expect(people, people.stderr).toMatchObject({ code: 0 });
    expect(people.stdout).toContain('would create test.tree: 1 row\n');
    expect(people.stdout).toContain('nothing stands in the way');
    await clone.query('create schema test; create table test.tree (id integer)');
    const programs = await runLizsync([...args, '--json']);
    expect(programs).toMatchObject({
      code: 1,
      json: { kind: 'new', server_name: 'tablet', refusals: [{ details: ['test.tree'] }] },
    });
    const refused = await runLizsync(args);
    expect(refused.stdout).toContain('would be refused: the database has relations');
    expect(refused.stdout).not.toContain('nothing stands in the way');
  });
});

describe('inspect', () => {
  test('shows what is in an archive and that it is undamaged, without a server', async () => {
    const central = await createCentral(
      `${schema}; create table test.wide (id integer, photo bytea, note text);
      grant select on test.owner to pg_read_all_data`,
      { excludeColumns: [{ schema: 'test', table: 'wide', column: 'photo' }] },
    );
    const after = path.join(await createFolder(), 'after.sql');
    await writeFile(after, 'select 1');
    const { file, packageId, snapshot } = await packageTables(central, { sqlAfter: after });
    const inspected = await inspectArchive(file);
    expect(inspected).toMatchObject({
      packageId,
      snapshot,
      central: { serverName: 'central' },
      manifestSha256: await central.value('select manifest_sha256 from lizsync.packages'),
      tables: [
        { schema: 'test', name: 'owner', columns: ['id', 'name', 'uid'], rows: 2 },
        { name: 'tree', rows: 1 },
        { name: 'wide', columns: ['id', 'note', 'uid'], excludedColumns: ['photo'], rows: 0, bytes: 0 },
      ],
      sequences: ['test.tree_id_seq'],
      functions: ['test.stamp()'],
      roles: ['pg_read_all_data'],
      hasSqlAfter: true,
    });
    expect(inspected.entries.map(({ problem }) => problem)).toEqual(inspected.entries.map(() => null));
    const shown = await runLizsync(['inspect', file]);
    expect(shown, shown.stderr).toMatchObject({ code: 0 });
    expect(shown.stdout).toContain('test.owner: 2 rows');
    expect(shown.stdout).toContain('undamaged');
    const json = await runLizsync(['inspect', file, '--json']);
    expect(json).toMatchObject({ code: 0, json: { package_id: packageId, is_undamaged: true, has_sql_after: true } });
  });

  test('names the entries that are damaged, and ends with 1', async () => {
    const central = await createCentral(schema);
    const { file } = await packageTables(central, { compression: 'deflate' });
    const damaged = await rewriteArchive(file, () => {}, { 'data/000001.copy': (text) => text.replace('a', 'b') });
    const json = await runLizsync(['inspect', damaged, '--json']);
    expect(json).toMatchObject({ code: 1, json: { is_undamaged: false } });
    const problems = (json.json.entries as { name: string; problem: string | null }[]).filter(({ problem }) => problem);
    expect(problems).toEqual([
      expect.objectContaining({
        name: 'data/000001.copy',
        problem: 'the archive is damaged: the checksum of data/000001.copy is wrong',
      }),
    ]);
    const none = await runLizsync(['inspect', path.join(path.dirname(file), 'none.zip')]);
    expect(none).toMatchObject({ code: 2, stdout: '' });
  });

  test('shows names that would steer the terminal as what they are', async () => {
    const central = await createCentral(schema);
    const { file } = await packageTables(central);
    const evil = await rewriteArchive(file, (manifest) => {
      manifest.central.serverName = '\u001b[2J\u009b31mcentral\r\n';
    });
    const shown = await runLizsync(['inspect', evil]);
    expect(shown.stdout).toContain('\\u001b[2J\\u009b31mcentral\\u000d\\u000a');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(shown.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});
