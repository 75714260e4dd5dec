import { readdirSync, readFileSync } from 'node:fs';
import { appendFile, cp, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dumpSchema, withoutFunctions } from '../../scripts/dump-schema.js';
import { prepareCentral } from '../../src/core/prepare-central.js';
import type { ProgressEvent } from '../../src/core/progress.js';
import { type UpgradeOptions, type UpgradeResult, upgrade } from '../../src/core/upgrade.js';
import { runLizsync } from '../support/cli.js';
import { createDatabase, createRole, type TestDatabase } from '../support/database.js';
import { refusal } from '../support/refusal.js';
import { describeWithPgDump } from '../support/requirements.js';
import { getTestServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';

const server = getTestServer();
const dumpDirectory = fileURLToPath(new URL('../dumps', import.meta.url));
const releasedDumps = readdirSync(dumpDirectory).filter((name) => /^v\d{4}\.sql$/.test(name));
const describeSchemaSql = readFileSync(new URL('../support/describe-schema.sql', import.meta.url), 'utf8');

function install(
  url: string,
  options: Partial<UpgradeOptions> = {},
  onProgress?: (event: ProgressEvent) => void,
): Promise<UpgradeResult> {
  return upgrade(toSettings(url), { role: 'central', install: true, dryRun: false, ...options }, onProgress);
}

async function describeSchema(database: TestDatabase): Promise<string> {
  const rows = await database.query<{ line: string }>(describeSchemaSql);
  return rows.map(({ line }) => line).join('\n');
}

/** The sql directory of a later version: a copy of ours with these files added or replaced. */
async function makeSqlDirectory(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lizsync-sql-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await cp('sql', directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(directory, name), text);
  return directory;
}

const current = readdirSync('sql/migrations').length;

/** The path of a migration that comes so many after ours. */
function nameLater(count: number, name: string): string {
  return `migrations/${String(current + count).padStart(4, '0')}_${name}.sql`;
}

const later = nameLater(1, 'later');
const laterName = path.basename(later, '.sql');

const laterMigration = {
  [later]: `
    alter table lizsync.links add column note text;
    create table lizsync.later (id integer generated always as identity primary key, values_ @extschema:hstore@.hstore);
    comment on table lizsync.later is 'made by a later version';
    create function lizsync.old_helper(integer) returns integer language sql return $1;`,
  'routines/sync/later_count.sql': `
    create or replace function lizsync.later_count() returns bigint
    language sql stable set search_path = pg_catalog, pg_temp
    as 'select count(*) from lizsync.later';`,
};

describe('upgrade as a command', () => {
  test('is refused without lizsync, and says how to get it', async () => {
    const database = await createDatabase(server);
    const central = await runLizsync(['upgrade', '--central', database.url]);
    expect(central.code).toBe(1);
    expect(central.stderr).toMatch(/not installed[\s\S]*lizsync install --central/);
    const clone = await runLizsync(['upgrade', '--clone', database.url]);
    expect(clone.code).toBe(1);
    expect(clone.stderr).toMatch(/not installed[\s\S]*lizsync deploy/);
  });

  test('says that a current central is current, and that a central is no clone', async () => {
    const database = await createDatabase(server);
    await install(database.url);
    const unchanged = await runLizsync(['upgrade', '--central', database.url, '--json']);
    expect(unchanged).toMatchObject({
      code: 0,
      json: { already_current: true, from_version: current, to_version: current, applied: [] },
    });
    const wrong = await runLizsync(['upgrade', '--clone', database.url]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/is a central[\s\S]*lizsync upgrade --central/);
  });
});

describe('upgrade', () => {
  test('from an earlier version gives the same schema as a fresh installation of the later one', async () => {
    const [old, fresh] = [await createDatabase(server), await createDatabase(server)];
    const sqlDirectory = await makeSqlDirectory(laterMigration);
    const before = await install(old.url);
    const { serverId } = await install(fresh.url, { sqlDirectory });
    expect(serverId).not.toBe(before.serverId);

    const planned = await install(old.url, { install: false, dryRun: true, sqlDirectory });
    expect(planned).toMatchObject({
      fromVersion: current,
      toVersion: current + 1,
      applied: [laterName],
      alreadyCurrent: false,
    });
    expect(await old.value(`select to_regclass('lizsync.later')`)).toBeNull();

    const done = await install(old.url, { install: false, sqlDirectory });
    expect(done).toMatchObject({
      fromVersion: current,
      toVersion: current + 1,
      applied: [laterName],
      serverId: before.serverId,
    });
    expect(await describeSchema(old)).toBe(await describeSchema(fresh));
    // a function that no routine of this version makes is gone
    expect(await old.value(`select to_regproc('lizsync.old_helper')`)).toBeNull();
    expect(await install(old.url, { install: false, sqlDirectory })).toMatchObject({ alreadyCurrent: true });
  });

  test('run twice at once applies each migration once; the one waits for the other', async () => {
    const database = await createDatabase(server);
    await install(database.url);
    const sqlDirectory = await makeSqlDirectory({
      ...laterMigration,
      [later]: `${laterMigration[later]} select pg_sleep(0.5);`,
    });
    const waits: string[] = [];
    const results = await Promise.all(
      [1, 2, 3].map(() =>
        install(database.url, { sqlDirectory }, (event) => {
          if (event.kind === 'step' && event.text.startsWith('waiting')) waits.push(event.text);
        }),
      ),
    );
    expect(results.filter(({ applied }) => applied.length === 1)).toHaveLength(1);
    expect(results.filter(({ alreadyCurrent }) => alreadyCurrent)).toHaveLength(2);
    expect(waits).toHaveLength(2);
  });

  test('that fails leaves the database as it was', async () => {
    const database = await createDatabase(server);
    await install(database.url);
    const before = await describeSchema(database);
    const sqlDirectory = await makeSqlDirectory({
      ...laterMigration,
      [nameLater(2, 'broken')]: 'alter table lizsync.links\n    add column note integer;\n',
    });
    const error = await refusal(install(database.url, { sqlDirectory }));
    expect(error.message).toMatch(
      /^sql\/migrations\/\d+_broken\.sql.*column "note" of relation "links" already exists/,
    );
    expect(await describeSchema(database)).toBe(before);
  });

  test('replaces functions whose result or arguments changed, keeps the grants of the others', async () => {
    const database = await createDatabase(server);
    const role = await createRole(server);
    const first = await makeSqlDirectory({
      'routines/sync/a.sql': `create or replace function lizsync.a(p_x integer) returns integer language sql return p_x;`,
      'routines/sync/b.sql': `create or replace function lizsync.b() returns integer language sql as 'select lizsync.a(1)';`,
      'routines/sync/c.sql': `create or replace function lizsync.c() returns integer language sql return 1;`,
    });
    await install(database.url, { sqlDirectory: first });
    await database.query(`grant execute on function lizsync.b() to ${role.name}`);
    await database.query('grant execute on function lizsync.b() to public');

    const second = await makeSqlDirectory({
      'routines/sync/a.sql': `create or replace function lizsync.a(p_y integer) returns bigint language sql return p_y;`,
      'routines/sync/b.sql': `create or replace function lizsync.b() returns integer language sql as 'select lizsync.a(2)::integer';`,
    });
    const result = await install(database.url, { sqlDirectory: second });
    expect(result).toMatchObject({ applied: [], routinesReplaced: true, alreadyCurrent: false });
    expect(await database.value('select lizsync.b()')).toBe(2);
    expect(await database.value(`select to_regproc('lizsync.c')`)).toBeNull();
    const rights = `select has_function_privilege($1, 'lizsync.b()', 'execute')`;
    expect(await database.value(rights, [role.name])).toBe(true);
    expect(await database.value(rights, ['pg_monitor'])).toBe(false);
    const fresh = await createDatabase(server);
    await install(fresh.url, { sqlDirectory: second });
    await database.query(`revoke execute on function lizsync.b() from ${role.name}`);
    expect(await describeSchema(database)).toBe(await describeSchema(fresh));
  });

  test('renews the triggers of audited tables when they are to be made in another way', async () => {
    const database = await createDatabase(server);
    await install(database.url);
    await database.query('create schema s; create table s.t (a integer); create table s.gone (a integer)');
    await prepareCentral({ central: toSettings(database.url), schemas: ['s'], tables: [] });
    await database.query('drop table s.gone');
    const enable = 'routines/audit/enable_relation.sql';
    const text = await readFile(path.join('sql', enable), 'utf8');
    const sqlDirectory = await makeSqlDirectory({
      [enable]: text.replace(
        'return v_relation_id;',
        `execute format('comment on table %I.%I is %L', p_schema_name, p_table_name, 'made anew'); return v_relation_id;`,
      ),
    });
    await install(database.url, { sqlDirectory });
    expect(await database.value(`select obj_description('s.t'::regclass)`)).toBe('made anew');

    await database.query(`comment on table s.t is 'not touched'`);
    await appendFile(path.join(sqlDirectory, 'routines/audit/refuse_uid_change.sql'), '\n-- changed\n');
    await install(database.url, { sqlDirectory });
    expect(await database.value(`select obj_description('s.t'::regclass)`)).toBe('not touched');
  });

  test('follows an extension that was moved to another schema', async () => {
    const database = await createDatabase(server);
    await install(database.url);
    await database.query('create schema s; create table s.t (a integer)');
    await prepareCentral({ central: toSettings(database.url), schemas: ['s'], tables: [] });
    await database.query('create schema ext; alter extension hstore set schema ext');
    expect(await install(database.url, { install: false })).toMatchObject({ applied: [], alreadyCurrent: false });
    await database.query('insert into s.t values (7)');
    expect(await database.value('select new_values::text from audit.logged_actions')).toBe('"a"=>"7"');
  });

  test.skipIf(server.version < 150_000)(
    'by another role keeps one owner for everything [from PostgreSQL 15]',
    async () => {
      const database = await createDatabase(server);
      const role = await createRole(server);
      await database.query(`grant set on parameter session_replication_role to ${role.name}`);
      await database.query(
        `create extension hstore; create extension dblink; grant create on database ${database.name} to ${role.name}`,
      );
      await install(role.urlFor(database));
      await install(database.url, { sqlDirectory: await makeSqlDirectory(laterMigration) });
      const owners = await database.query(`
      select distinct relowner::regrole::text as owner from pg_class where relnamespace = 'lizsync'::regnamespace
      union
      select distinct proowner::regrole::text from pg_proc where pronamespace = 'lizsync'::regnamespace`);
      expect(owners).toEqual([{ owner: role.name }]);
    },
  );

  test('is refused when the database is newer than the program', async () => {
    const database = await createDatabase(server);
    await install(database.url, { sqlDirectory: await makeSqlDirectory(laterMigration) });
    for (const command of ['install', 'upgrade']) {
      const result = await runLizsync([command, '--central', database.url]);
      expect(result.code).toBe(1);
      expect(result.stderr).toMatch(/is newer[\s\S]*hint: Upgrade the program/);
    }
    await database.query(`delete from lizsync.migrations where migration_number = ${current + 1}`);
    await database.query(`update lizsync.applied_routines set tool_version = '99.0.0'`);
    const error = await refusal(install(database.url, { install: false }));
    expect(error.message).toContain('is newer (99.0.0)');
  });

  test('is refused when a migration was applied in another form, or is missing in the ledger', async () => {
    const database = await createDatabase(server);
    const sqlDirectory = await makeSqlDirectory(laterMigration);
    await install(database.url, { sqlDirectory });
    await appendFile(path.join(sqlDirectory, 'migrations/0001_initial.sql'), '-- changed\n');
    const changed = await refusal(install(database.url, { sqlDirectory }));
    expect(changed.message).toMatch(/migration 0001_initial .* is not the one of this program/);
    await database.query('delete from lizsync.migrations where migration_number = 1');
    const missing = await refusal(install(database.url, { sqlDirectory }));
    expect(missing.message).toContain('has no entry 1');
  });

  test('does not mind line ends that Git has changed', async () => {
    const database = await createDatabase(server);
    await install(database.url);
    const sqlDirectory = await makeSqlDirectory({});
    for (const file of readdirSync(sqlDirectory, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.sql')) continue;
      const text = await readFile(path.join(sqlDirectory, file), 'utf8');
      await writeFile(path.join(sqlDirectory, file), text.replaceAll('\n', '\r\n'));
    }
    expect(await install(database.url, { sqlDirectory })).toMatchObject({ alreadyCurrent: true });
  });

  test('refuses a program whose migrations have a gap', async () => {
    const database = await createDatabase(server);
    const sqlDirectory = await makeSqlDirectory({ ...laterMigration, [nameLater(2, 'x')]: 'select 1;' });
    await unlink(path.join(sqlDirectory, later));
    expect((await refusal(install(database.url, { sqlDirectory }))).message).toContain(
      `should be migration ${current + 1}`,
    );
  });
});

describe('commands that need the current version', () => {
  test('refuse another one, and say which command to run', async () => {
    const database = await createDatabase(server);
    const prepare = ['prepare-central', '--central', database.url, '--schemas', 's'];
    const without = await runLizsync(prepare);
    expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('lizsync install --central') });

    await install(database.url, {
      sqlDirectory: await makeSqlDirectory({
        'routines/sync/later_count.sql': `create or replace function lizsync.extra() returns integer language sql return 1;`,
      }),
    });
    const other = await runLizsync(prepare);
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('lizsync upgrade --central') });
  });
});

describe.skipIf(releasedDumps.length === 0)('a released version', () => {
  test.each(releasedDumps)('of the dump %s becomes, by upgrade, the same as a fresh installation', async (name) => {
    const [old, fresh] = [await createDatabase(server), await createDatabase(server)];
    await restore(old, name);
    const role = await old.value<'central' | 'clone'>('select server_role from lizsync.server_metadata');
    const result = await install(old.url, { role, install: false });
    expect(result.fromVersion).toBe(Number(name.slice(1, 5)));
    await install(fresh.url);
    expect(await describeSchema(old)).toBe(await describeSchema(fresh));
    if (server.pgDump !== null) {
      expect(await dumpSchema(server.pgDump, old.url)).toBe(await dumpSchema(server.pgDump, fresh.url));
    }
    // and it works: what was audited is audited
    await old.query(`insert into survey.tree (id, species) values (4, 'elm')`);
    expect(
      await old.value(`select new_values::text from audit.logged_actions order by event_id desc limit 1`),
    ).toContain('elm');
  });
});

describeWithPgDump('the dump of the schema in test/dumps/schema.sql', [server], () => {
  test.skipIf(Math.floor(server.version / 10_000) !== 15)(
    'is that of a fresh installation, as PostgreSQL 15 writes it',
    async () => {
      const database = await createDatabase(server);
      await install(database.url);
      const dump = withoutFunctions(await dumpSchema(server.pgDump ?? '', database.url));
      expect(dump, 'run: node scripts/with-dependencies.js node scripts/dump-schema.js').toBe(
        await readFile(path.join(dumpDirectory, 'schema.sql'), 'utf8'),
      );
    },
  );
});

/** Restores a dump as psql would. */
async function restore(database: TestDatabase, name: string): Promise<void> {
  const client = await database.connect();
  await client.query(await readFile(path.join(dumpDirectory, name), 'utf8'));
  await client.end();
}
