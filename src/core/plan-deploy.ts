import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import { createExtensions, type ExtensionState, listExtensions } from './create-extensions.js';
import {
  type Deployment,
  type DeployOptions,
  describeDependents,
  lockTables,
  planTablesAndViews,
  readClone,
  readDefinitions,
  readViews,
  registerClone,
  storeIdentity,
  warnAboutServers,
  withDeployment,
} from './deploy.js';
import { findUnsentChanges } from './find-unsent-changes.js';
import { installSchema } from './install-schema.js';
import type { TablePlan } from './plan-tables.js';
import type { ProgressCallback } from './progress.js';

/** What a deploy would do. */
export interface DeployPlan {
  serverName: string;
  packageId: string;
  /** Whether the tables would be made for the first time, kept with other rows, or made anew. */
  kind: TablePlan['kind'];
  tables: { schema: string; name: string; rows: number; action: 'create' | 'replace rows' | 'make anew' }[];
  rows: number;
  /** Why tables must be made anew: statements in which they differ. */
  differences: string[];
  /** What would be dropped with tables that are made anew. */
  dropped: string[];
  /** Tables that would stay and no longer be synchronised. */
  ended: string[];
  extensions: ExtensionState[];
  /** How many changes of the clone were not sent to the central. */
  unsentChanges: number;
  /** Why the deploy would be refused; empty: it would not. */
  refusals: { message: string; details: string[]; hint: string | null }[];
}

/**
 * Finds out what a deploy would do, and changes nothing: it goes as far as the rows, reads those of the archive for their
 * checksums, and takes everything back. The tables of the clone are locked for a moment.
 * @throws LizsyncError when the archive is damaged or not of this central
 */
export async function planDeploy(options: DeployOptions, onProgress: ProgressCallback = () => {}): Promise<DeployPlan> {
  return withDeployment(options, onProgress, async (deployment) => {
    const { archive, manifest } = deployment;
    onProgress({ kind: 'step', text: 'checking the archive' });
    for (const name of Object.keys(manifest.entries)) await archive.verify(name);
    onProgress({ kind: 'step', text: 'comparing with the clone' });
    return planInTransaction(deployment, onProgress);
  });
}

async function planInTransaction(deployment: Deployment, onProgress: ProgressCallback): Promise<DeployPlan> {
  const { manifest, central, clone, options } = deployment;
  const plan: DeployPlan = {
    serverName: options.name ?? clone.settings.database,
    packageId: manifest.packageId,
    kind: 'new',
    tables: manifest.tables.map(({ schema, name, rows }) => ({ schema, name, rows, action: 'create' })),
    rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
    differences: [],
    dropped: [],
    ended: [],
    extensions: await listExtensions(clone, manifest.extensions),
    unsentChanges: 0,
    refusals: [],
  };
  /** Does a step of the deploy; undefined: it would be refused. */
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    await clone.queryBatch('savepoint attempt');
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LizsyncError) || (error instanceof DatabaseError && error.isConnectionFailure))
        throw error;
      await clone.queryBatch('rollback to savepoint attempt');
      plan.refusals.push({ message: error.message, details: error.details, hint: error.hint ?? null });
      return undefined;
    }
  };

  warnAboutServers(deployment, onProgress);
  await attempt(() => createExtensions(clone, manifest.extensions, onProgress));
  const installed = await attempt(() =>
    installSchema(clone, { role: 'clone', install: true, serverName: options.name }, onProgress),
  );
  if (installed === undefined) return plan;
  await lockTables(clone);
  const before = await attempt(() => readClone(deployment));
  if (before === undefined) return plan;
  plan.serverName = options.name ?? before.server_name;
  if (installed.fromVersion !== null) {
    const unsent = await findUnsentChanges(central, clone, before, manifest.central.serverName);
    plan.unsentChanges = unsent.count;
    if (unsent.problem !== null && options.force !== true) {
      plan.refusals.push({ message: unsent.problem.text, details: [], hint: unsent.problem.hint });
    }
  }
  plan.ended = await listEnded(deployment);
  const wanted = await readDefinitions(deployment, onProgress);
  const views = await readViews(deployment);
  const tables = await attempt(() => planTablesAndViews(deployment, wanted, views, before.link_central_id !== null));
  if (tables !== undefined) describeTables(plan, tables, options.cascade === true);
  await attempt(async () => {
    const { syncId } = await storeIdentity(deployment, before, onProgress);
    await registerClone(deployment, syncId, '[]', true);
  });
  return plan;
}

function describeTables(plan: DeployPlan, tables: TablePlan, cascade: boolean): void {
  plan.kind = tables.kind;
  if (tables.kind === 'new') return;
  for (const table of plan.tables) {
    const exists = tables.existing.some(({ schema, table: name }) => schema === table.schema && name === table.name);
    if (exists) table.action = tables.kind === 'in place' ? 'replace rows' : 'make anew';
  }
  if (tables.kind === 'in place') return;
  plan.differences = tables.differences;
  plan.dropped = tables.dropped;
  if (tables.dependents.length === 0 || cascade) return;
  const { message, details, hint } = describeDependents(tables);
  plan.refusals.push({ message, details, hint: hint ?? null });
}

async function listEnded({ clone, manifest }: Deployment): Promise<string[]> {
  const rows = await clone.query<{ name: string }>(readSqlFile('queries/deploy-list-ended.sql'), [
    manifest.tables.map(({ schema }) => schema),
    manifest.tables.map(({ name }) => name),
  ]);
  return rows.map(({ name }) => name);
}
