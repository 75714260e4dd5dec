import { readdirSync } from 'node:fs';
import { appendFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type UpgradeOptions, type UpgradeResult, upgrade } from '../../src/core/upgrade.js';
import { runLizsync } from '../support/cli.js';
import { createDatabase, createRole, type TestDatabase } from '../support/database.js';
import { refusal } from '../support/refusal.js';
import { createPrivateServer, getTestServer } from '../support/server.js';
import { toSettings } from '../support/settings.js';

const server = getTestServer();

const migrations = readdirSync('sql/migrations')
  .sort()
  .map((file) => path.basename(file, '.sql'));

function install(url: string, options: Partial<UpgradeOptions> = {}): Promise<UpgradeResult> {
  return upgrade(toSettings(url), { role: 'central', install: true, dryRun: false, ...options });
}

/** Schemas and extensions that are not PostgreSQL's own. */
function listObjects(database: TestDatabase): Promise<{ name: string }[]> {
  return database.query(`
    select nspname::text as name from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
    union all
    select extname from pg_extension where extname <> 'plpgsql'
    order by name`);
}

async function copySqlDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lizsync-sql-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await cp('sql', directory, { recursive: true });
  return directory;
}

describe('install as a command', () => {
  test('makes a database a central, and says so when it is one already', async () => {
    const database = await createDatabase(server);
    const first = await runLizsync(['install', '--central', database.url, '--name', 'Head office', '--json']);
    expect(first.stderr).not.toMatch(/error/i);
    expect(first).toMatchObject({
      code: 0,
      json: { from_version: null, to_version: migrations.length, already_current: false },
    });
    const stored = await database.query('select server_id, server_name, server_role from lizsync.server_metadata');
    expect(stored).toEqual([{ server_id: first.json.server_id, server_name: 'Head office', server_role: 'central' }]);

    const second = await runLizsync(['install', '--central', database.url]);
    expect(second).toMatchObject({ code: 0 });
    expect(second.stdout).toContain('already installed');
    expect(await database.value('select server_id from lizsync.server_metadata')).toBe(first.json.server_id);
  });

  test('with --dry-run says what it would do and does nothing', async () => {
    const database = await createDatabase(server);
    const result = await runLizsync(['install', '--central', database.url, '--dry-run']);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('0001_initial');
    expect(await listObjects(database)).toEqual([]);
  });

  test('that is refused exits with 1, names the cause and the remedy, and shows no password', async () => {
    const database = await createDatabase(server);
    await database.query('create schema audit; create table audit.logged_actions (event_id bigserial primary key)');
    const result = await runLizsync(['install', '--central', database.url]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/schema audit .*not of lizsync/);
    expect(result.stderr).toContain('generic audit trigger');
    expect(result.stderr).toMatch(/hint: .*drop schema audit cascade/);
    expect(result.stdout + result.stderr).not.toContain(new URL(database.url).password);
  });
});

describe('install', () => {
  test('gives a central the name of its database, whatever characters that has', async () => {
    const exactName = `a"b.É Select '${process.pid} ${Date.now()}`;
    const database = await createDatabase(server, { exactName });
    const result = await install(database.url);
    expect(result).toMatchObject({ serverName: exactName, role: 'central', applied: migrations });
  });

  test('works for twenty at once on an empty database: one does it, the others find it done', async () => {
    const database = await createDatabase(server);
    const results = await Promise.all(Array.from({ length: 20 }, () => install(database.url)));
    expect(results.filter(({ alreadyCurrent }) => !alreadyCurrent)).toHaveLength(1);
    expect(new Set(results.map(({ serverId }) => serverId)).size).toBe(1);
    expect(await database.value('select count(*)::integer from lizsync.migrations')).toBe(migrations.length);
  });

  test('lets nobody but the owner call the functions, and leaves no function that PostgreSQL would refuse', async () => {
    const database = await createDatabase(server);
    await install(database.url);
    const functions = await database.query<{ name: string; language: string; oid: number; open: boolean }>(`
      select p.oid::regprocedure::text as name, l.lanname::text as language, p.oid::integer,
        has_function_privilege('pg_monitor', p.oid, 'execute') as open
      from pg_proc p join pg_language l on l.oid = p.prolang
      where p.pronamespace in ('audit'::regnamespace, 'lizsync'::regnamespace)`);
    expect(functions.length).toBeGreaterThan(20);
    expect(functions.filter(({ open }) => open)).toEqual([]);
    const client = await database.connect();
    await client.query('set check_function_bodies = on');
    for (const { name, language, oid } of functions) {
      const validators: Record<string, string> = { sql: 'fmgr_sql_validator', plpgsql: 'plpgsql_validator' };
      const validator = validators[language];
      if (validator === undefined) continue;
      await expect(client.query(`select ${validator}($1)`, [oid]), name).resolves.toBeDefined();
    }
  });

  test.each([
    [
      'a table audit.logged_actions',
      'create schema audit; create table audit.logged_actions (event_id bigint)',
      'audit',
    ],
    [
      'a function in audit',
      `create schema audit; create function audit.f() returns int language sql as 'select 1'`,
      'audit',
    ],
    ['a type in audit', `create schema audit; create type audit.kind as enum ('x')`, 'audit'],
    [
      'the tables of the QGIS plugin',
      'create schema lizsync; create table lizsync.server_metadata (id int); create table lizsync.history (id int)',
      'lizsync',
    ],
    [
      'somebody else’s table of migrations',
      'create schema lizsync; create table lizsync.migrations (version int primary key, applied_at timestamptz)',
      'lizsync',
    ],
  ])('is refused over %s, and changes nothing', async (_title, sql, schema) => {
    const database = await createDatabase(server);
    await database.query(sql);
    const before = await listObjects(database);
    for (const dryRun of [true, false]) {
      const error = await refusal(install(database.url, { dryRun }));
      expect(error.message).toMatch(new RegExp(`schema ${schema} .* not of lizsync`));
      expect(error.exitCode).toBe(1);
    }
    expect(await listObjects(database)).toEqual(before);
  });

  test('takes over schemas of these names that are empty', async () => {
    const database = await createDatabase(server);
    const role = await createRole(server);
    await database.query(`create schema audit authorization ${role.name}; create schema lizsync`);
    await install(database.url);
    const owners = await database.query(`
      select distinct nspowner::regrole::text as owner from pg_namespace where nspname in ('audit', 'lizsync')`);
    expect(owners).toEqual([{ owner: new URL(database.url).username }]);
  });

  test.each([
    [
      'elsewhere',
      'create schema "Ext ""1"; create extension hstore schema "Ext ""1"; create extension dblink schema "Ext ""1"',
      'Ext "1',
    ],
    [
      'in our own schema',
      'create schema lizsync; create extension hstore schema lizsync; create extension dblink schema lizsync',
      'lizsync',
    ],
    ['nowhere, and there is no schema public', 'drop schema public', 'lizsync'],
    ['nowhere', 'select', 'public'],
  ])('works with extensions that are %s', async (_title, sql, schema) => {
    const database = await createDatabase(server);
    await database.query(sql);
    await install(database.url);
    const found = await database.query(`
      select extname::text as name, extnamespace::regnamespace::text as schema from pg_extension
      where extname in ('hstore', 'dblink') order by extname`);
    const quoted = schema.includes(' ') ? `"${schema.replaceAll('"', '""')}"` : schema;
    expect(found).toEqual([
      { name: 'dblink', schema: quoted },
      { name: 'hstore', schema: quoted },
    ]);
    expect(await install(database.url)).toMatchObject({ alreadyCurrent: true });
    // functions of extensions are left as they were
    const open = await database.value(
      `select has_function_privilege('pg_monitor', oid, 'execute') from pg_proc where proname = 'akeys'`,
    );
    expect(open).toBe(true);

    await database.query('create schema "S"; create table "S".logged (uid uuid not null unique, a text)');
    await database.query(`select audit.enable_relation('S', 'logged', '{}')`);
    await database.query(`insert into "S".logged values (gen_random_uuid(), 'x')`);
    expect(await database.value(`select new_values::text from audit.logged_actions`)).toBe('"a"=>"x"');
  });

  test.skipIf(server.version < 150_000)(
    'names the missing right each time, and what it says is all that is needed [from PostgreSQL 15]',
    async () => {
      const database = await createDatabase(server);
      const role = await createRole(server);
      const url = role.urlFor(database);
      const remedy = async (): Promise<string> => {
        const error = await refusal(install(url));
        return /(grant|create extension) .*;$/.exec(error.hint ?? '')?.[0] ?? `none in: ${error.message} ${error.hint}`;
      };
      const toCreate = await remedy();
      expect(toCreate).toBe(`grant create on database "${database.name}" to "${role.name}";`);
      await database.query(toCreate);
      const toExtend = await remedy();
      expect(toExtend).toBe('create extension dblink;');
      await database.query(`create schema hidden; ${toExtend.replace(';', ' schema hidden;')}`);
      const toUse = await remedy();
      expect(toUse).toBe(`grant usage on schema "hidden" to "${role.name}";`);
      await database.query(toUse);

      const toApply = await remedy();
      expect(toApply).toBe(`grant set on parameter session_replication_role to "${role.name}";`);
      await database.query(toApply);

      const result = await install(url);
      expect(result.extensions).toEqual(['hstore']);
      expect(
        await database.value('select tableowner::text from pg_tables where tablename = $1', ['logged_actions']),
      ).toBe(role.name);
    },
  );

  test('is refused for a role that may not work on what is there', async () => {
    const database = await createDatabase(server);
    await install(database.url);
    const role = await createRole(server);
    const error = await refusal(install(role.urlFor(database)));
    expect(error.message).toContain('is no member of it');
    expect(error.hint).toMatch(/grant "\w+" to "role_/);
  });

  test('is refused where writing is switched off', async () => {
    const database = await createDatabase(server);
    await database.query(`alter database ${database.name} set default_transaction_read_only = on`);
    const error = await refusal(install(database.url));
    expect(error.message).toContain('read-only');
    expect(error.hint).toContain(`alter database "${database.name}" set default_transaction_read_only = off;`);
  });

  test('leaves nothing behind when it fails, and points at the place in the file', async () => {
    const database = await createDatabase(server);
    const sqlDirectory = await copySqlDirectory();
    const broken = `${String(migrations.length + 1).padStart(4, '0')}_broken`;
    await writeFile(
      path.join(sqlDirectory, 'migrations', `${broken}.sql`),
      `-- É 😀\ncreate table lizsync.fine (a integer);\ncreate table lizsync.broken (\n\ta integer, b intger\n);\n`,
    );
    const error = await refusal(install(database.url, { sqlDirectory }));
    expect(error.message).toBe(`sql/migrations/${broken}.sql:4:15: type "intger" does not exist`);
    expect(error.details.slice(0, 2)).toEqual(['4 | \ta integer, b intger', `    \t${' '.repeat(13)}^`]);
    expect(await listObjects(database)).toEqual([]);
  });

  test('points at a function that PostgreSQL refuses', async () => {
    const database = await createDatabase(server);
    const sqlDirectory = await copySqlDirectory();
    await appendFile(path.join(sqlDirectory, 'routines', 'audit', 'refuse_uid_change.sql'), '\nselect nonsense;\n');
    const error = await refusal(install(database.url, { sqlDirectory }));
    expect(error.message).toMatch(
      /^sql\/routines\/audit\/refuse_uid_change\.sql:\d+:8: column "nonsense" does not exist$/,
    );
    expect(await listObjects(database)).toEqual([]);
  });

  test('is refused on a clone: a database has one role', async () => {
    const database = await createDatabase(server);
    await install(database.url, { role: 'clone', serverName: 'tablet' });
    const error = await refusal(install(database.url));
    expect(error.message).toContain('is a clone ("tablet"), not a central');
  });
});

test('install is refused on a standby, which says to connect to the primary', async ({ skip }) => {
  if (server.process === null) skip('needs a server made of binaries');
  const standby = await createPrivateServer();
  try {
    await standby.stop();
    await writeFile(path.join(standby.dataDirectory ?? '', 'standby.signal'), '');
    await standby.start();
    const error = await refusal(install(standby.url));
    expect(error.message).toContain('standby');
    expect(error.hint).toContain('primary');
  } finally {
    await standby.remove();
  }
});
