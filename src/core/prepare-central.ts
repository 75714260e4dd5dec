import pg from 'pg';
import { type Connection, withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import { refuseStandby } from './inspect-database.js';
import type { ProgressCallback } from './progress.js';
import { requireServer } from './require-server.js';

export interface PrepareCentralOptions {
  central: ConnectionSettings;
  /** Names of schemas, unquoted, whose tables are all prepared. */
  schemas: string[];
  tables: { schema: string; table: string }[];
  /** Columns that are neither logged nor synchronised, in addition to those excluded before. */
  excludeColumns?: { schema: string; table: string; column: string }[];
  /** Say what would be done and change nothing. */
  dryRun?: boolean;
  /** How long to wait for each table that somebody else works on, in seconds; default 60. */
  lockTimeoutSeconds?: number;
}

export interface PreparedTable {
  schema: string;
  table: string;
  /** `completed`: the column was there, without default or NOT NULL, or a new partition had no index for it. */
  uid: 'added' | 'completed' | 'present';
  triggers: 'added' | 'present';
  /** In the order in which they were excluded. */
  excludedColumns: string[];
}

export interface PrepareCentralResult {
  /** By schema and name. */
  tables: PreparedTable[];
  dryRun: boolean;
}

interface PlanRow {
  schema_name: string;
  /** Null when a schema as a whole is refused. */
  table_name: string | null;
  uid_status: 'missing' | 'incomplete' | 'present' | null;
  triggers_status: 'missing' | 'present' | null;
  excluded_columns: string[] | null;
  problem: string | null;
  remedy: string | null;
}

interface PreparedRow {
  uid_status: PreparedTable['uid'];
  triggers_status: PreparedTable['triggers'];
  excluded_columns: string[];
}

/**
 * Gives the tables of a central what synchronisation needs: a column uid and the audit triggers. All in one transaction;
 * what is there stays, so it can be repeated.
 * @throws LizsyncError that names every table that can't be prepared, before anything is changed; or the table that
 *   somebody else had locked for too long
 */
export async function prepareCentral(
  options: PrepareCentralOptions,
  onProgress: ProgressCallback = () => {},
): Promise<PrepareCentralResult> {
  const dryRun = options.dryRun ?? false;
  const transaction = {
    isolation: 'read committed',
    readOnly: dryRun,
    lockTimeoutSeconds: options.lockTimeoutSeconds ?? 60,
  } as const;
  return withConnection(
    options.central,
    async (connection) => {
      refuseStandby(connection);
      return withTransaction(connection, transaction, async () => {
        await requireServer(connection, 'central');
        onProgress({ kind: 'step', text: 'checking the tables' });
        const plan = await connection.query<PlanRow>(readSqlFile('queries/plan-preparation.sql'), [
          options.schemas,
          options.tables.map(({ schema, table }) => [schema, table]),
          (options.excludeColumns ?? []).map(({ schema, table, column }) => [schema, table, column]),
        ]);
        refuseProblems(plan);
        const tables: PreparedTable[] = [];
        // in the order of their names, so that two runs can't wait for each other
        for (const planned of plan) {
          tables.push(dryRun ? describePlanned(planned) : await prepareTable(connection, planned, onProgress));
        }
        return { tables, dryRun };
      });
    },
    { role: 'central' },
  );
}

function refuseProblems(plan: PlanRow[]): void {
  const problems = plan.filter(({ problem }) => problem !== null);
  if (problems.length === 0) return;
  const names = new Set(problems.map(describeRow));
  throw new LizsyncError(
    names.size === 1 ? `${[...names].join()} can't be prepared` : `${names.size} tables or schemas can't be prepared`,
    {
      details: problems.map((row) => `${describeRow(row)}: ${row.problem}; ${row.remedy}`),
      hint: 'Nothing was changed. Solve this, or name other tables, then run prepare-central again.',
    },
  );
}

async function prepareTable(
  connection: Connection,
  planned: PlanRow,
  onProgress: ProgressCallback,
): Promise<PreparedTable> {
  const name = describeRow(planned);
  const work = [
    ...(planned.uid_status === 'missing' ? ['adding uid (rewrites the table)'] : []),
    ...(planned.uid_status === 'incomplete' ? ['completing uid'] : []),
    planned.triggers_status === 'missing' ? 'adding the audit triggers' : 'checking the audit triggers',
  ];
  onProgress({ kind: 'step', text: `${name}: ${work.join(', ')}` });
  try {
    const [row] = await connection.query<PreparedRow>(readSqlFile('queries/prepare-relation.sql'), [
      planned.schema_name,
      planned.table_name,
      planned.excluded_columns,
    ]);
    if (row === undefined) throw new Error('no row from prepare-relation.sql');
    return {
      schema: planned.schema_name,
      table: planned.table_name ?? '',
      uid: row.uid_status,
      triggers: row.triggers_status,
      excludedColumns: row.excluded_columns,
    };
  } catch (error) {
    const lockNotAvailable = '55P03';
    if (!(error instanceof DatabaseError) || error.sqlstate !== lockNotAvailable) throw error;
    throw new LizsyncError(`${name} is locked by somebody else`, {
      hint: 'Nothing was changed. Try again when nobody works on the table; pg_stat_activity shows who does.',
      cause: error,
    });
  }
}

function describePlanned(planned: PlanRow): PreparedTable {
  const uid = { missing: 'added', incomplete: 'completed', present: 'present' } as const;
  return {
    schema: planned.schema_name,
    table: planned.table_name ?? '',
    uid: uid[planned.uid_status ?? 'missing'],
    triggers: planned.triggers_status === 'present' ? 'present' : 'added',
    excludedColumns: planned.excluded_columns ?? [],
  };
}

/** The name as SQL wants it; a schema refused as a whole is called one. */
function describeRow({ schema_name, table_name }: PlanRow): string {
  if (table_name === null) return `schema ${quote(schema_name)}`;
  return `${quote(schema_name)}.${quote(table_name)}`;
}

function quote(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : pg.escapeIdentifier(name);
}
