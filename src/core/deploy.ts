import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { type ArchiveReader, withArchive } from '../archive/archive-reader.js';
import {
  afterEntryName,
  damaged,
  type Manifest,
  type PackagedTable,
  postDataEntryName,
  preDataEntryName,
  viewsEntryName,
} from '../archive/manifest.js';
import { readSchemaScript, type SchemaSection } from '../archive/schema-script.js';
import { type Connection, withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import { adaptToRoles } from './adapt-to-roles.js';
import { applySchemaScript } from './apply-schema-script.js';
import { createExtensions } from './create-extensions.js';
import { discardUnsentChanges, findUnsentChanges } from './find-unsent-changes.js';
import { installSchema } from './install-schema.js';
import { dropTables, planTables, type TablePlan, type WantedDefinitions } from './plan-tables.js';
import type { ProgressCallback } from './progress.js';
import { rehearseDefinitions } from './rehearse-definitions.js';
import { emptyTables, prepareLoading, rebuildIndexes, restoreConstraints } from './replace-rows.js';
import { createViews, dropPackagedViews } from './replace-views.js';
import { reportWarnings } from './report-warnings.js';
import { requireServer } from './require-server.js';
import { settleDeployment } from './settle-deployment.js';
import { locateSqlError } from './sql-file-error.js';
import { storeCentralConnection } from './store-central-connection.js';
import { createTransferMeter } from './transfer-meter.js';
import { tryStatements } from './try-statements.js';

export interface DeployOptions {
  /** Path of the package. */
  archive: string;
  central: ConnectionSettings;
  clone: ConnectionSettings;
  /** The central as the clone reaches it; default: `central`. */
  centralFromClone?: ConnectionSettings | undefined;
  /** Name of the clone; default: the one it has, or the name of the database. */
  name?: string | undefined;
  /** Gives a clone that exists a new identity. */
  newId?: boolean | undefined;
  /** Discards changes of the clone that were not sent, after writing them to `unsentChangesFile`. */
  force?: boolean | undefined;
  /** A new file; default: one in the current directory, named after the clone and the time. */
  unsentChangesFile?: string | undefined;
  /** Drops what depends on the tables and is not in the package, when they must be made anew. */
  cascade?: boolean | undefined;
  /** Deploys an archive that the central does not know. */
  trust?: boolean | undefined;
  /** Ends the work, and leaves the clone as it was, when it is aborted. */
  signal?: AbortSignal | undefined;
}

export interface DeployResult {
  serverId: string;
  serverName: string;
  packageId: string;
  tables: number;
  rows: number;
  /** Whether the tables were made for the first time, kept with other rows, or made anew. */
  kind: TablePlan['kind'];
  /** Changes of the clone that were discarded, and the file that has them; null: there were none. */
  unsentChanges: { count: number; file: string } | null;
}

/** A row of sql/queries/deploy-read-clone.sql. */
export interface CloneRow {
  server_id: string;
  server_name: string;
  server_role: string;
  is_same_incarnation: boolean;
  last_sync_id: string | null;
  link_central_id: string | null;
  link_central_name: string | null;
  link_position: string | null;
  package_is_newer: boolean;
}

export interface Deployment {
  archive: ArchiveReader;
  manifest: Manifest;
  central: Connection;
  clone: Connection;
  options: DeployOptions;
}

/**
 * Makes a database a clone of a central, from a package: its tables with their rows, the audit, the link to the central,
 * and at the central the link to the clone. One transaction in the clone: after any failure it is as it was.
 *
 * The central notes the deployment first. It counts there once the clone is known to have committed: the central is told
 * so at the end, or finds it out by the clone's next sync.
 * @throws LizsyncError when the archive is damaged or not of this central, or the clone would lose something
 */
export async function deploy(options: DeployOptions, onProgress: ProgressCallback = () => {}): Promise<DeployResult> {
  return withDeployment(options, onProgress, async (deployment) => {
    const { central, clone } = deployment;
    const { described, syncId, sequenceStates } = await deployInTransaction(deployment, onProgress);
    const [row] = await clone.query<{ id: string }>('select pg_current_xact_id()::text as id');
    const registration = { cloneId: described.serverId, syncId, transactionId: row?.id ?? '' };
    let isCommitting = false;
    try {
      await registerClone(deployment, syncId, sequenceStates);
      // it may draw numbers, from the ranges that the central has given
      await runSqlAfter(deployment, onProgress);
      await clone.queryBatch('set constraints all immediate');
      isCommitting = true;
      await clone.commit();
    } catch (error) {
      await clone.rollback();
      if (!(await settleDeployment(central, clone, registration, isCommitting))) throw error;
    }
    await confirmDeployment(central, described.serverId, syncId, onProgress);
    return described;
  });
}

/** Opens what a deploy works with, checks where the archive comes from, and begins a transaction in the clone. */
export async function withDeployment<T>(
  options: DeployOptions,
  onProgress: ProgressCallback,
  work: (deployment: Deployment) => Promise<T>,
): Promise<T> {
  const { signal } = options;
  return withArchive(options.archive, (archive) =>
    withConnection(
      options.central,
      (central) =>
        withConnection(
          options.clone,
          async (clone) => {
            const deployment = { archive, manifest: archive.manifest, central, clone, options };
            await withTransaction(central, { readOnly: true }, async () => {
              await requireServer(central, 'central');
              await checkOrigin(deployment);
            });
            await clone.begin();
            try {
              await clone.queryBatch('set local quote_all_identifiers = off');
              return await work(deployment);
            } finally {
              await clone.rollback();
            }
          },
          { role: 'clone', signal, onNotice: reportWarnings(onProgress) },
        ),
      { role: 'central', signal },
    ),
  );
}

/** Failure is no harm: the first sync says it again. */
async function confirmDeployment(
  central: Connection,
  serverId: string,
  syncId: string,
  onProgress: ProgressCallback,
): Promise<void> {
  try {
    await withTransaction(central, {}, () =>
      central.query('select lizsync.confirm_deployment($1, $2)', [serverId, syncId]),
    );
  } catch (error) {
    onProgress({
      kind: 'warning',
      text: `the central will hear of the deployment with the first sync: ${(error as Error).message}`,
    });
  }
}

interface Deployed {
  described: DeployResult;
  syncId: string;
  /** What its sequences had drawn before, for the central. */
  sequenceStates: string;
}

async function deployInTransaction(deployment: Deployment, onProgress: ProgressCallback): Promise<Deployed> {
  const { manifest, central, clone, options } = deployment;

  warnAboutServers(deployment, onProgress);
  await createExtensions(clone, manifest.extensions, onProgress);
  const installed = await installSchema(clone, { role: 'clone', install: true, serverName: options.name }, onProgress);
  await lockTables(clone);
  const before = await readClone(deployment);
  // an earlier deployment counts although the central has not heard of its end
  if (before.last_sync_id !== null) {
    await confirmDeployment(central, before.server_id, before.last_sync_id, onProgress);
  }
  const unsentChanges =
    installed.fromVersion === null
      ? null
      : await discardUnsentChanges(
          clone,
          await findUnsentChanges(central, clone, before, manifest.central.serverName),
          { serverName: before.server_name, force: options.force === true, file: options.unsentChangesFile },
          onProgress,
        );
  const { preData, postData } = await readDefinitions(deployment, onProgress);
  const isOurs = before.link_central_id !== null;
  const views = await readViews(deployment);
  const plan = await planTablesAndViews(deployment, { preData, postData }, views, isOurs);
  const sequenceStates = await readSequenceStates(clone);
  await clone.query(readSqlFile('queries/deploy-set-memory.sql'));
  if (plan.kind === 'in place') {
    await replaceRows(deployment, plan, views, onProgress);
  } else {
    await replaceTables(deployment, plan, { preData, postData }, isOurs, onProgress);
  }
  if (views.length > 0) {
    onProgress({ kind: 'step', text: 'creating views' });
    await withVersionHint(deployment, () => createViews(clone, views, viewsEntryName, isOurs));
  }
  await setSequences(clone, manifest);
  await enableAudit(clone, manifest, onProgress);
  await clone.queryBatch(`analyze ${manifest.tables.map(quoteTable).join(', ')}`);
  const identity = await storeIdentity(deployment, before, onProgress);
  const described = {
    serverId: identity.serverId,
    serverName: identity.serverName,
    packageId: manifest.packageId,
    tables: manifest.tables.length,
    rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
    kind: plan.kind,
    unsentChanges,
  };
  return { described, syncId: identity.syncId, sequenceStates };
}

/** The archive is of this central, as it is now, and made by it. */
export async function checkOrigin({ archive, manifest, central, options }: Deployment): Promise<void> {
  const [row] = await central.query<{
    server_id: string;
    server_name: string;
    is_same_incarnation: boolean;
    is_known: boolean;
    is_changed: boolean;
  }>(readSqlFile('queries/deploy-check-origin.sql'), [
    manifest.packageId,
    archive.manifestSha256,
    manifest.central.systemIdentifier,
    manifest.central.databaseOid,
  ]);
  if (row === undefined) throw new Error('no row from deploy-check-origin.sql');
  if (row.server_id !== manifest.central.serverId) {
    throw new LizsyncError(
      `the package is of the central "${manifest.central.serverName}" (${manifest.central.serverId}), ` +
        `but connected is "${row.server_name}" (${row.server_id})`,
      { hint: 'Connect to the central that the package is of (--central), or make a package of this one.' },
    );
  }
  if (!row.is_same_incarnation) {
    throw new LizsyncError('the central has been restored from a backup, or copied, since the package was made', {
      hint: 'Make a new package: lizsync package --central',
    });
  }
  if (row.is_changed) {
    throw new LizsyncError('the archive was changed after the central made it', {
      hint: 'Copy the archive again, or make a new one: lizsync package --central',
    });
  }
  if (!row.is_known && options.trust !== true) {
    throw new LizsyncError('the central does not know this archive: it is not one of those that it has made', {
      hint:
        'A package holds code that runs in the clone, so only those that the central made are deployed: make a new one. ' +
        'If you know who made this one, and trust them with everything that you may do in the clone: --trust',
    });
  }
}

/** What sets the two servers apart and may matter later. */
export function warnAboutServers(deployment: Deployment, onProgress: ProgressCallback): void {
  warnAboutOlderServer(deployment, onProgress);
  warnAboutEncodings(deployment, onProgress);
}

function warnAboutOlderServer({ manifest, clone }: Deployment, onProgress: ProgressCallback): void {
  if (Math.floor(manifest.postgresVersion / 10_000) <= clone.serverVersion) return;
  onProgress({
    kind: 'warning',
    text: `the clone's PostgreSQL ${clone.serverVersion} is older than the central's ${Math.floor(manifest.postgresVersion / 10_000)}`,
    hint: 'Tables that use what the older one does not have are refused.',
  });
}

function warnAboutEncodings({ central, clone }: Deployment, onProgress: ProgressCallback): void {
  const [ofCentral, ofClone] = [central, clone].map(({ parameters }) => parameters.get('server_encoding'));
  if (ofCentral === ofClone) return;
  onProgress({
    kind: 'warning',
    text: `the clone's database has the encoding ${ofClone}, the central's ${ofCentral}: what is written with characters that only one of them has can't be synchronised`,
    hint: `Better deploy to a database with the same encoding: create database ... template template0 encoding '${ofCentral}'`,
  });
}

/** Adds to errors of the package's own statements why they may have failed. */
async function withVersionHint<T>({ manifest, clone }: Deployment, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const major = Math.floor(manifest.postgresVersion / 10_000);
    if (!(error instanceof LizsyncError) || major <= clone.serverVersion || error.hint !== undefined) throw error;
    throw new LizsyncError(error.message, {
      details: error.details,
      hint: `The package was made on PostgreSQL ${major}, and the clone's ${clone.serverVersion} may not have this: upgrade the clone's server.`,
      exitCode: error.exitCode,
      cause: error,
    });
  }
}

export async function readClone({ manifest, central, clone, options }: Deployment): Promise<CloneRow> {
  const [next] = await withTransaction(central, { readOnly: true }, () =>
    central.query<{ transaction_id: string }>('select pg_snapshot_xmax(pg_current_snapshot()) as transaction_id'),
  );
  const [row] = await clone.query<CloneRow>(readSqlFile('queries/deploy-read-clone.sql'), [
    manifest.snapshot,
    manifest.central.systemIdentifier,
    manifest.central.databaseOid,
    next?.transaction_id,
  ]);
  if (row === undefined) throw new Error('no row from deploy-read-clone.sql');
  if (row.link_central_id !== null && row.link_central_id !== manifest.central.serverId) {
    throw new LizsyncError(
      `the clone "${row.server_name}" is of another central, "${row.link_central_name}" (${row.link_central_id})`,
      { hint: 'Deploy into another database.' },
    );
  }
  if (!row.package_is_newer && options.newId !== true) {
    throw new LizsyncError('the package is older than what the clone has', {
      hint: 'Make a new package: lizsync package --central',
    });
  }
  return row;
}

/** Keeps people and syncs from changing what is about to be replaced, and waits for those who are at it. */
export async function lockTables(clone: Connection): Promise<void> {
  await clone.queryBatch('lock table lizsync.links in share row exclusive mode');
  const rows = await clone.query<{ name: string }>(readSqlFile('queries/deploy-list-deployed-tables.sql'));
  if (rows.length === 0) return;
  await clone.queryBatch(`lock table ${rows.map(({ name }) => name).join(', ')} in access exclusive mode`);
}

/** Takes the definitions of the tables out of the archive, as far as they are about roles that the clone knows. */
export async function readDefinitions(
  { archive, manifest, clone }: Deployment,
  onProgress: ProgressCallback,
): Promise<WantedDefinitions> {
  const read = async (name: string): Promise<SchemaSection[]> =>
    readSchemaScript(await archive.readText(name), manifest.packageId, name);
  const preData = await read(preDataEntryName);
  return { preData, postData: await adaptToRoles(clone, await read(postDataEntryName), onProgress) };
}

/** What makes the views of the package; empty: it has none. */
export async function readViews({ archive, manifest }: Deployment): Promise<SchemaSection[]> {
  if (!archive.has(viewsEntryName)) return [];
  return readSchemaScript(await archive.readText(viewsEntryName), manifest.packageId, viewsEntryName);
}

/**
 * As planTables, with the views of the package out of the way of tables that must be made anew. Makes sure that a server
 * which is older than the central's has all that the package needs.
 */
export async function planTablesAndViews(
  { manifest, clone }: Deployment,
  wanted: WantedDefinitions,
  views: SchemaSection[],
  isOurs: boolean,
): Promise<TablePlan> {
  let plan = await planTables(clone, manifest.tables, wanted, isOurs);
  if (plan.kind === 'rebuild' && plan.dependents.length > 0 && views.length > 0) {
    await dropPackagedViews(clone, views);
    plan = await planTables(clone, manifest.tables, wanted, isOurs);
  }
  const version = Math.floor(manifest.postgresVersion / 10_000);
  if (version > clone.serverVersion) {
    const { preData, postData } = plan.kind === 'in place' ? plan : wanted;
    const dropped = plan.kind === 'rebuild' ? plan.existing.map(({ name }) => name) : [];
    await rehearseDefinitions(clone, dropped, [...preData, ...postData, ...views], version);
  }
  return plan;
}

/** Gives the tables of an earlier deploy other rows: what depends on them stays. */
async function replaceRows(
  deployment: Deployment,
  plan: TablePlan & { kind: 'in place' },
  packagedViews: SchemaSection[],
  onProgress: ProgressCallback,
): Promise<void> {
  const { manifest, clone } = deployment;
  onProgress({ kind: 'step', text: 'emptying the tables' });
  const foreignKeys = await emptyTables(clone, plan.existing);
  await clone.queryBatch(
    ['set local check_function_bodies = off;', ...plan.functions.map(({ sql }) => sql)].join('\n'),
  );
  await runDefinitions(deployment, plan.preData, preDataEntryName, false);
  const aside = await prepareLoading(
    clone,
    plan.existing,
    plan.existing.map(({ schema, table }) => {
      return manifest.tables.find((packaged) => packaged.schema === schema && packaged.name === table)?.rows ?? 0;
    }),
  );
  await loadRows(deployment, onProgress);
  onProgress({ kind: 'step', text: 'creating indexes, checking keys' });
  await rebuildIndexes(clone, aside);
  await runDefinitions(deployment, plan.postData, postDataEntryName, true);
  await restoreConstraints(clone, [...foreignKeys, ...aside]);
  const stale = await clone.query<{ name: string }>(readSqlFile('queries/deploy-list-materialized-views.sql'), [
    plan.existing.map(({ name }) => name),
  ]);
  const views = stale.filter(({ name }) => !packagedViews.some(({ identity }) => identity === name));
  if (views.length === 0) return;
  const names = views.map(({ name }) => name).join(', ');
  onProgress({
    kind: 'warning',
    text: `these materialized views show what was there before: ${names}`,
    hint: `Bring them up to date: refresh materialized view ${views[0]?.name};`,
  });
}

/** Makes the tables, with their rows. */
async function replaceTables(
  deployment: Deployment,
  plan: TablePlan & { kind: 'new' | 'rebuild' },
  { preData, postData }: WantedDefinitions,
  isOurs: boolean,
  onProgress: ProgressCallback,
): Promise<void> {
  const { clone, options } = deployment;
  if (plan.kind === 'rebuild') {
    if (plan.dependents.length > 0 && options.cascade !== true) throw describeDependents(plan);
    onProgress({
      kind: 'warning',
      text: `the tables are made anew, because their definitions differ: ${plan.differences.join('; ')}`,
    });
    for (const name of plan.dropped) onProgress({ kind: 'warning', text: `dropped: ${name}` });
    await dropTables(
      clone,
      plan.existing.map(({ name }) => name),
    );
  }
  onProgress({ kind: 'step', text: 'creating the tables' });
  await runDefinitions(deployment, preData, preDataEntryName, isOurs);
  await loadRows(deployment, onProgress);
  onProgress({ kind: 'step', text: 'creating keys and indexes' });
  await runDefinitions(deployment, postData, postDataEntryName, true);
  if (plan.kind === 'rebuild') await restoreAdditions(clone, plan.local, onProgress);
}

export function describeDependents({ differences, dependents }: TablePlan & { kind: 'rebuild' }): LizsyncError {
  return new LizsyncError('other objects of the clone depend on tables that the package replaces', {
    details: [
      ...dependents,
      `the tables must be made anew, because the definitions differ: ${differences.slice(0, 5).join('; ')}`,
    ],
    hint: 'Drop them, deploy, and create them again. Or let deploy drop them: lizsync deploy --cascade (--dry-run says what goes).',
  });
}

/** Gives tables that were made anew what the clone had beside the package, where that still fits. */
async function restoreAdditions(
  clone: Connection,
  additions: SchemaSection[],
  onProgress: ProgressCallback,
): Promise<void> {
  for (const { sql } of additions) {
    const error = await tryStatements(clone, sql);
    if (error !== undefined) onProgress({ kind: 'warning', text: `no longer in the clone: ${sql}` });
  }
}

async function runDefinitions(
  deployment: Deployment,
  sections: SchemaSection[],
  source: string,
  isOurs: boolean,
): Promise<void> {
  const { clone } = deployment;
  await clone.queryBatch('set local check_function_bodies = off');
  await withVersionHint(deployment, () => applySchemaScript(clone, sections, source, isOurs));
  await clone.queryBatch('set local check_function_bodies = on');
}

async function loadRows({ archive, manifest, clone }: Deployment, onProgress: ProgressCallback): Promise<void> {
  const { tables } = manifest;
  const plain = await clone.query<{ position: number }>(readSqlFile('queries/deploy-find-plain-tables.sql'), [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ]);
  const plainTables = new Set(plain.map(({ position }) => tables[position - 1]));
  const meter = createTransferMeter(tables, onProgress);
  for (const table of tables) {
    const pass = meter.begin(table);
    const load = async (content: Readable): Promise<number> => {
      const copy = clone.copyIn(copyInStatement(table, plainTables.has(table)));
      await pipeline(content, copy);
      return copy.rowCount;
    };
    const loaded = await archive.stream(table.entry, load, pass).catch(async (error: unknown) => {
      // what a damaged archive holds may well be what the server refuses
      if (error instanceof DatabaseError && !error.isConnectionFailure) await archive.verify(table.entry);
      throw error;
    });
    if (loaded !== table.rows) throw damaged(`${table.entry} has ${loaded} rows instead of ${table.rows}`);
    meter.finish(table);
  }
  meter.end();
}

/**
 * @param isPlain not partitioned. Rows of a plain table, which this transaction has created or emptied, are written as
 * they are to stay: nobody has to touch them again to mark them as visible.
 */
function copyInStatement(table: PackagedTable, isPlain: boolean): string {
  const columns = table.columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  return `copy ${quoteTable(table)} (${columns}) from stdin${isPlain ? ' with (freeze)' : ''}`;
}

/** Gives the sequences the values of the central; those of synchronised columns get ranges of their own when the clone is registered. */
async function setSequences(clone: Connection, { sequences }: Manifest): Promise<void> {
  if (sequences.length === 0) return;
  await clone.query(readSqlFile('queries/deploy-set-sequences.sql'), [
    sequences.map(({ schema }) => schema),
    sequences.map(({ name }) => name),
    sequences.map(({ lastValue }) => lastValue),
    sequences.map(({ isCalled }) => isCalled),
  ]);
}

async function enableAudit(clone: Connection, { tables }: Manifest, onProgress: ProgressCallback): Promise<void> {
  const schemas = tables.map(({ schema }) => schema);
  const names = tables.map(({ name }) => name);
  const ended = await clone.query<{ name: string }>(readSqlFile('queries/deploy-disable-relations.sql'), [
    schemas,
    names,
  ]);
  for (const { name } of ended) {
    onProgress({ kind: 'warning', text: `${name} is not in the package: it stays, and is no longer synchronised` });
  }
  await clone.query(readSqlFile('queries/deploy-enable-relations.sql'), [
    schemas,
    names,
    tables.map(({ excludedColumns }) => JSON.stringify(excludedColumns)),
  ]);
}

export async function storeIdentity(
  { manifest, clone, options }: Deployment,
  before: CloneRow,
  onProgress: ProgressCallback,
): Promise<{ serverId: string; serverName: string; syncId: string }> {
  const serverId = options.newId === true ? randomUUID() : before.server_id;
  const serverName = options.name ?? before.server_name;
  const syncId = randomUUID();
  // what a copy has logged must never come up as new
  await clone.query('select lizsync.adopt_incarnation()');
  await clone.query(readSqlFile('queries/deploy-update-identity.sql'), [serverId, serverName]);
  await clone.query(readSqlFile('queries/deploy-store-link.sql'), [
    manifest.central.serverId,
    manifest.central.serverName,
    manifest.central.systemIdentifier,
    manifest.central.databaseOid,
    manifest.snapshot,
    syncId,
    manifest.tables.map(({ schema }) => schema),
    manifest.tables.map(({ name }) => name),
  ]);
  await storeCentralConnection(clone, options.centralFromClone ?? options.central, onProgress);
  return { serverId, serverName, syncId };
}

/** Runs the user's own statements as a clone's user would, but unable to end the transaction of deploy. */
async function runSqlAfter({ archive, clone }: Deployment, onProgress: ProgressCallback): Promise<void> {
  if (!archive.has(afterEntryName)) return;
  const text = await archive.readText(afterEntryName);
  onProgress({ kind: 'step', text: `running ${afterEntryName}` });
  const body = `begin execute ${pg.escapeLiteral(text)}; end`;
  try {
    await clone.queryBatch(
      `set local search_path to default; set local row_security to default; do ${pg.escapeLiteral(body)}`,
    );
  } catch (error) {
    throw locateSqlError(error, afterEntryName, text);
  }
  await clone.queryBatch(`set local search_path = ''; set local row_security = off`);
}

/** What the sequences of the clone have drawn from their ranges, as JSON: empty for a database that was no clone. */
async function readSequenceStates(clone: Connection): Promise<string> {
  const [row] = await clone.query<{ states: string }>('select lizsync.sequence_states()::text as states');
  if (row === undefined) throw new Error('lizsync.sequence_states() returned nothing');
  return row.states;
}

/**
 * Tells the central, which commits before the clone does, and sets the ranges of numbers that it gives to the clone; in a
 * dry run the central does not commit.
 */
export async function registerClone(
  { archive, manifest, central, clone, options }: Deployment,
  syncId: string,
  sequenceStates: string,
  dryRun = false,
): Promise<void> {
  const [identity] = await clone.query<{
    server_id: string;
    server_name: string;
    system_identifier: string;
    database_oid: number;
    position: string;
    transaction_id: string;
  }>(readSqlFile('queries/deploy-read-identity.sql'));
  if (identity === undefined) throw new Error('no row from deploy-read-identity.sql');
  await central.begin();
  try {
    if (options.trust === true) {
      await central.query(readSqlFile('queries/deploy-trust-package.sql'), [
        manifest.packageId,
        manifest.snapshot,
        archive.manifestSha256,
        manifest.tables.map(({ schema }) => schema),
        manifest.tables.map(({ name }) => name),
      ]);
    }
    const [row] = await central.query<{ ranges: string }>(readSqlFile('queries/deploy-register-clone.sql'), [
      manifest.packageId,
      archive.manifestSha256,
      identity.server_id,
      identity.server_name,
      identity.system_identifier,
      identity.database_oid,
      identity.position,
      syncId,
      identity.transaction_id,
      sequenceStates,
    ]);
    if (dryRun) {
      await central.rollback();
      return;
    }
    await central.commit();
    await clone.query('select lizsync.set_ranges($1)', [row?.ranges]);
  } catch (error) {
    await central.rollback();
    throw error;
  }
}

function quoteTable({ schema, name }: { schema: string; name: string }): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}
