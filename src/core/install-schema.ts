import pg from 'pg';
import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import {
  checkInstallable,
  checkOwnership,
  type DatabaseFacts,
  inspectDatabase,
  locateExtensions,
} from './inspect-database.js';
import type { ProgressCallback } from './progress.js';
import { installHint } from './require-server.js';
import {
  hashRoutines,
  type Migration,
  ownSqlDirectory,
  readSchemaFiles,
  replaceExtensionSchemas,
  resolveRoutines,
  type SchemaFiles,
  type ServerRole,
  type SqlFile,
} from './schema-files.js';
import { locateSqlError } from './sql-file-error.js';
import { compareVersions, toolVersion } from './tool-version.js';

export interface InstallSchemaOptions {
  /** What the server is or becomes. */
  role: ServerRole;
  /** Whether a database without lizsync gets it; otherwise it is refused. */
  install: boolean;
  /** Of a new server; default: the name of the database. Without effect on one that exists. */
  serverName?: string | undefined;
  /** Of a new server; default: a random one. Without effect on one that exists. */
  serverId?: string | undefined;
  /** Only find out what would be done. Works in a read-only transaction. */
  dryRun?: boolean | undefined;
  /** Where migrations and routines are; default: the package's own. */
  sqlDirectory?: string | undefined;
}

export interface InstallSchemaResult {
  /** Null only in a dry run on a database without lizsync. */
  serverId: string | null;
  serverName: string;
  role: ServerRole;
  /** Number of the last migration that was there; null: none, lizsync is new here. */
  fromVersion: number | null;
  /** Number of the last migration that is there now, or would be. */
  toVersion: number;
  /** Names of the migrations that were applied, or would be, in order. */
  applied: string[];
  /** Extensions that were created, or would be. */
  extensions: string[];
  /** Whether the functions were replaced, or would be. */
  routinesReplaced: boolean;
  /** Nothing was to be done. */
  alreadyCurrent: boolean;
}

interface LedgerEntry {
  migration_number: number;
  migration_name: string;
  sha256: string;
  tool_version: string;
}

interface Server {
  server_id: string;
  server_name: string;
  server_role: ServerRole;
}

interface Plan {
  fromVersion: number | null;
  pending: Migration[];
  extensions: { name: string; schema: string; mustBeCreated: boolean }[];
  routines: SqlFile[];
  routinesSha256: string;
  routinesDiffer: boolean;
  triggersSha256: string;
  /** Whether the triggers on tables that are audited already must be made anew. */
  triggersDiffer: boolean;
  server: Server | undefined;
}

/** Key of the advisory lock that installations of one database queue at; any number that nobody else uses. */
const installationLock = '5497853344117801';

/**
 * Brings the schemas audit and lizsync of a database from nothing or any earlier version to that of this program.
 *
 * Runs inside the caller's open transaction, which must be read committed and ends with the lock of the installation.
 * Leaves the session's role and settings as they were.
 * @throws LizsyncError when the database can't or must not be changed: see the refusals in inspect-database.ts and here
 */
export async function installSchema(
  connection: Connection,
  options: InstallSchemaOptions,
  onProgress: ProgressCallback = () => {},
): Promise<InstallSchemaResult> {
  // Before anything else looks at the catalog: what others install at the same time must be visible or not begun.
  if (options.dryRun !== true) await lockInstallation(connection, onProgress);
  const facts = await inspectDatabase(connection);
  const files = readSchemaFiles(options.sqlDirectory ?? ownSqlDirectory);
  const plan = facts.has_ledger
    ? await planUpgrade(connection, facts, files, options)
    : planInstallation(facts, files, options);
  const extensions = plan.extensions.filter(({ mustBeCreated }) => mustBeCreated).map(({ name }) => name);
  const alreadyCurrent =
    plan.pending.length === 0 && extensions.length === 0 && !plan.routinesDiffer && plan.server !== undefined;

  let server = plan.server;
  if (!alreadyCurrent) {
    await checkReplicationRole(connection, facts);
    if (options.dryRun !== true) server = await carryOut(connection, facts, plan, options, onProgress);
  }
  return {
    serverId: server?.server_id ?? null,
    serverName: server?.server_name ?? options.serverName ?? facts.database_name,
    role: options.role,
    fromVersion: plan.fromVersion,
    toVersion: files.migrations.length,
    applied: plan.pending.map(({ name }) => name),
    extensions,
    routinesReplaced: plan.routinesDiffer,
    alreadyCurrent,
  };
}

async function lockInstallation(connection: Connection, onProgress: ProgressCallback): Promise<void> {
  const [attempt] = await connection.query<{ locked: boolean }>(
    'select pg_catalog.pg_try_advisory_xact_lock($1::bigint) as locked',
    [installationLock],
  );
  if (attempt?.locked === true) return;
  onProgress({ kind: 'step', text: 'waiting for another installation of this database to end' });
  const [before] = await connection.query<{ lock_timeout: string }>(
    `select current_setting('lock_timeout') as lock_timeout`,
  );
  await setLocally(connection, 'lock_timeout', '0');
  await connection.query('select pg_catalog.pg_advisory_xact_lock($1::bigint)', [installationLock]);
  await setLocally(connection, 'lock_timeout', before?.lock_timeout ?? '0');
}

function planInstallation(facts: DatabaseFacts, files: SchemaFiles, options: InstallSchemaOptions): Plan {
  checkInstallable(facts);
  if (!options.install) {
    throw new LizsyncError(`lizsync is not installed in database "${facts.database_name}"`, {
      hint: installHint(options.role),
    });
  }
  const extensions = locateExtensions(facts);
  const routines = resolveRoutines(files.routines, mapSchemas(extensions));
  return {
    fromVersion: null,
    pending: files.migrations,
    extensions,
    routines,
    routinesSha256: hashRoutines(routines),
    routinesDiffer: true,
    triggersSha256: hashTriggers(routines),
    triggersDiffer: false,
    server: undefined,
  };
}

async function planUpgrade(
  connection: Connection,
  facts: DatabaseFacts,
  files: SchemaFiles,
  options: InstallSchemaOptions,
): Promise<Plan> {
  checkOwnership(facts);
  const ledger = await connection.query<LedgerEntry>(
    'select migration_number, migration_name, sha256, tool_version from lizsync.migrations order by migration_number',
  );
  checkLedger(facts, ledger, files.migrations);
  const [server] = await connection.query<Server>(
    'select server_id, server_name, server_role from lizsync.server_metadata',
  );
  if (server === undefined && !options.install) {
    throw new LizsyncError(`the table lizsync.server_metadata of database "${facts.database_name}" is empty`, {
      hint: 'The server has lost its id. Restore the database from a backup, or deploy or install it anew.',
    });
  }
  if (server !== undefined && server.server_role !== options.role) {
    throw new LizsyncError(
      `database "${facts.database_name}" is a ${server.server_role} ("${server.server_name}"), not a ${options.role}`,
      {
        hint: options.install
          ? 'A database is either the central or a clone: use another database.'
          : `Run: lizsync upgrade --${server.server_role}`,
      },
    );
  }
  const extensions = locateExtensions(facts);
  const routines = resolveRoutines(files.routines, mapSchemas(extensions));
  const routinesSha256 = hashRoutines(routines);
  const triggersSha256 = hashTriggers(routines);
  const [applied] = await connection.query<{ sha256: string; triggers_sha256: string; tool_version: string }>(
    'select sha256, triggers_sha256, tool_version from lizsync.applied_routines',
  );
  const pending = files.migrations.slice(ledger.length);
  const routinesDiffer = pending.length > 0 || applied?.sha256 !== routinesSha256;
  if (routinesDiffer && applied !== undefined && compareVersions(applied.tool_version, toolVersion) > 0) {
    throw newerDatabaseError(facts, applied.tool_version);
  }
  return {
    fromVersion: ledger.length,
    pending,
    extensions,
    routines,
    routinesSha256,
    routinesDiffer,
    triggersSha256,
    triggersDiffer: applied?.triggers_sha256 !== triggersSha256,
    server,
  };
}

function checkLedger(facts: DatabaseFacts, ledger: LedgerEntry[], migrations: Migration[]): void {
  const last = ledger.at(-1);
  if (last !== undefined && last.migration_number > migrations.length) {
    throw newerDatabaseError(facts, last.tool_version);
  }
  for (const [index, entry] of ledger.entries()) {
    const migration = migrations[index];
    if (entry.migration_number !== index + 1 || migration === undefined) {
      throw new LizsyncError(
        `the ledger lizsync.migrations of database "${facts.database_name}" has no entry ${index + 1}`,
        {
          hint: 'Somebody has changed the ledger: restore it from a backup.',
        },
      );
    }
    if (entry.sha256 !== migration.sha256) {
      throw new LizsyncError(
        `migration ${entry.migration_name} of database "${facts.database_name}" is not the one of this program`,
        {
          details: [
            `in the database: sha256 ${entry.sha256}, applied by lizsync ${entry.tool_version}`,
            `in this program: sha256 ${migration.sha256}, lizsync ${toolVersion}`,
          ],
          hint:
            'Migrations never change once they are released, so the database was made by a changed or unreleased ' +
            'lizsync, or this one is damaged. Use the lizsync that made it, or install lizsync again.',
        },
      );
    }
  }
}

function newerDatabaseError(facts: DatabaseFacts, version: string): LizsyncError {
  return new LizsyncError(
    `lizsync in database "${facts.database_name}" is newer (${version}) than this program (${toolVersion})`,
    { hint: 'Upgrade the program: npm install --global lizsync@latest' },
  );
}

/**
 * Sync applies changes with ordinary triggers off, with the rights of the owner of the functions. Whether that role may
 * do so is tried: what managed servers allow shows in no catalog.
 */
async function checkReplicationRole(connection: Connection, facts: DatabaseFacts): Promise<void> {
  const insufficientPrivilege = '42501';
  const owner = facts.ledger_owner ?? facts.user_name;
  try {
    await connection.queryBatch(
      `savepoint try_replication_role; set local role ${pg.escapeIdentifier(owner)}; set local session_replication_role = replica`,
    );
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlstate !== insufficientPrivilege) throw error;
    throw new LizsyncError(
      `${owner} may not set session_replication_role, which synchronisation needs to apply changes`,
      {
        hint:
          facts.server_version_number >= 150_000
            ? `Let a superuser run: grant set on parameter session_replication_role to ${pg.escapeIdentifier(owner)};`
            : 'Before PostgreSQL 15 only superusers have this right: install as a superuser.',
        cause: error,
      },
    );
  }
  await connection.queryBatch('rollback to savepoint try_replication_role; release savepoint try_replication_role');
}

async function carryOut(
  connection: Connection,
  facts: DatabaseFacts,
  plan: Plan,
  options: InstallSchemaOptions,
  onProgress: ProgressCallback,
): Promise<Server> {
  const [before] = await connection.query<{ role: string; check_function_bodies: string }>(
    `select current_setting('role') as role, current_setting('check_function_bodies') as check_function_bodies`,
  );
  for (const { name, schema, mustBeCreated } of plan.extensions) {
    if (!mustBeCreated) continue;
    onProgress({ kind: 'step', text: `creating extension ${name} in schema ${schema}` });
    if (schema === 'lizsync') await connection.queryBatch('create schema if not exists lizsync');
    await connection.queryBatch(`create extension ${name} schema ${pg.escapeIdentifier(schema)}`);
  }
  // All objects have one owner, whoever of those that may upgrade does it: functions run with the owner's rights.
  if (facts.ledger_owner !== null && facts.ledger_owner !== facts.user_name) {
    await setLocally(connection, 'role', facts.ledger_owner);
  }
  if (plan.fromVersion === null) await takeOverEmptySchemas(connection, facts);

  const extensionSchemas = mapSchemas(plan.extensions);
  for (const migration of plan.pending) {
    onProgress({ kind: 'step', text: `applying migration ${migration.name}` });
    await runSqlFile(connection, {
      path: migration.path,
      text: replaceExtensionSchemas(migration.text, extensionSchemas),
    });
    await connection.query(
      `insert into lizsync.migrations (migration_number, migration_name, sha256, tool_version) values ($1, $2, $3, $4)`,
      [migration.number, migration.name, migration.sha256, toolVersion],
    );
  }
  if (plan.routinesDiffer) {
    onProgress({ kind: 'step', text: 'replacing the functions' });
    // functions in the language sql may name others that come later
    await setLocally(connection, 'check_function_bodies', 'off');
    await replaceRoutines(connection, plan.routines);
    await setLocally(connection, 'check_function_bodies', before?.check_function_bodies ?? 'on');
    await connection.query(readSqlFile('queries/store-applied-routines.sql'), [
      plan.routinesSha256,
      plan.triggersSha256,
      toolVersion,
    ]);
  }
  const server = plan.server ?? (await createServer(connection, facts, options));
  await setLocally(connection, 'role', before?.role ?? 'none');
  if (plan.routinesDiffer) await connection.query('select lizsync.renew_grants()');
  // as the user and not as the owner of lizsync, who need not own the audited tables
  if (plan.triggersDiffer) {
    onProgress({ kind: 'step', text: 'renewing the triggers of the audited tables' });
    await connection.query('select lizsync.refresh_triggers()');
  }
  return server;
}

async function takeOverEmptySchemas(connection: Connection, facts: DatabaseFacts): Promise<void> {
  for (const [name, schema] of Object.entries(facts.schemas)) {
    if (schema.owner !== facts.user_name) {
      await connection.queryBatch(`alter schema ${pg.escapeIdentifier(name)} owner to current_user`);
    }
  }
}

async function createServer(
  connection: Connection,
  facts: DatabaseFacts,
  options: InstallSchemaOptions,
): Promise<Server> {
  const [server] = await connection.query<Server>(readSqlFile('queries/create-server.sql'), [
    options.serverId ?? null,
    options.serverName ?? facts.database_name,
    options.role,
  ]);
  if (server === undefined) throw new Error('no row from create-server.sql');
  return server;
}

/** Creates or replaces all functions, drops those that are no longer ours, and takes the right to call them from all. */
async function replaceRoutines(connection: Connection, routines: SqlFile[]): Promise<void> {
  const before = new Map((await listOwnFunctions(connection)).map((found) => [found.signature, found.version]));
  const droppedFirst = new Set<string>();
  await connection.queryBatch('savepoint replace_routines');
  for (let index = 0; index < routines.length; index++) {
    const routine = routines[index] as SqlFile;
    try {
      await connection.queryBatch(routine.text);
    } catch (error) {
      const signatures = findOutdated(error, routine, [...before.keys()]);
      if (signatures.length === 0 || droppedFirst.has(routine.path)) {
        throw locateSqlError(error, `sql/${routine.path}`, routine.text);
      }
      // The result or the names of the arguments changed: PostgreSQL wants the old one dropped. Begin again with that.
      droppedFirst.add(routine.path);
      await connection.queryBatch('rollback to savepoint replace_routines');
      await connection.queryBatch(`drop routine ${signatures.join(', ')}; savepoint replace_routines`);
      for (const signature of signatures) before.delete(signature);
      index = -1;
    }
  }
  const after = await listOwnFunctions(connection);
  const unknown = after.filter(({ signature, version }) => before.get(signature) === version);
  if (unknown.length > 0) {
    await connection.queryBatch(`drop routine ${unknown.map(({ signature }) => signature).join(', ')}`);
  }
  const open = after.filter((found) => found.is_public && !unknown.includes(found));
  if (open.length > 0) {
    await connection.queryBatch(
      `revoke all on routine ${open.map(({ signature }) => signature).join(', ')} from public`,
    );
  }
}

/** Which existing functions a routine can't replace because their definition differs too much; empty: not the cause. */
function findOutdated(error: unknown, routine: SqlFile, existing: string[]): string[] {
  const invalidFunctionDefinition = '42P13';
  if (!(error instanceof DatabaseError) || error.sqlstate !== invalidFunctionDefinition) return [];
  const name = /^create or replace (?:function|procedure|aggregate)\s+((?:audit|lizsync)\.\w+)/im.exec(
    routine.text,
  )?.[1];
  return name === undefined ? [] : existing.filter((signature) => signature.startsWith(`${name}(`));
}

function listOwnFunctions(
  connection: Connection,
): Promise<{ signature: string; version: string; is_public: boolean }[]> {
  return connection.query(readSqlFile('queries/list-own-functions.sql'));
}

async function runSqlFile(connection: Connection, file: SqlFile): Promise<void> {
  try {
    await connection.queryBatch(file.text);
  } catch (error) {
    throw locateSqlError(error, `sql/${file.path}`, file.text);
  }
}

async function setLocally(connection: Connection, setting: string, value: string): Promise<void> {
  await connection.query('select pg_catalog.set_config($1, $2, true)', [setting, value]);
}

/** Identifies how the triggers of audited tables are made. */
function hashTriggers(routines: SqlFile[]): string {
  const makers = ['audit/enable_relation', 'audit/enable_table', 'sequences/guard_range'];
  return hashRoutines(routines.filter(({ path }) => makers.includes(path.replace(/^routines\/|\.sql$/g, ''))));
}

function mapSchemas(extensions: { name: string; schema: string }[]): Map<string, string> {
  return new Map(extensions.map(({ name, schema }) => [name, schema]));
}
