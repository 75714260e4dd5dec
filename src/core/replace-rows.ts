import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import type { ExistingTable } from './plan-tables.js';

/** Of tables with at least so many rows the indexes are built when the rows are there. */
const rowsOfLargeTable = 10_000;

type Kind = 'index' | 'foreign key' | 'trigger' | 'row level security';

/** What was put out of the way, to be put back after the rows are loaded. */
export interface PutAside {
  kind: Kind;
  /** What puts it back. */
  after: string;
}

/**
 * Empties tables without logging it. Foreign keys of the tables and to them are away afterwards.
 * @returns the foreign keys
 */
export async function emptyTables(clone: Connection, tables: ExistingTable[]): Promise<PutAside[]> {
  const plan = await planLoading(clone, tables, []);
  const foreignKeys = plan.filter(({ kind }) => kind === 'foreign key');
  const triggers = plan.filter(({ kind }) => kind === 'trigger');
  // tables that inherit from these are tables of their own
  const list = tables.map(({ name, isPartitioned }) => (isPartitioned ? name : `only ${name}`));
  await clone.queryBatch(
    [
      ...foreignKeys.map(({ before }) => before),
      ...triggers.map(({ before }) => before),
      `truncate ${list.join(', ')};`,
      ...triggers.map(({ after }) => after),
    ].join('\n'),
  );
  return foreignKeys;
}

/**
 * Puts out of the way what would log or change the rows that are loaded into tables, or slow that down.
 * @param rows how many will be loaded into each table, in parallel
 */
export async function prepareLoading(clone: Connection, tables: ExistingTable[], rows: number[]): Promise<PutAside[]> {
  const large = tables.filter((_table, index) => (rows[index] ?? 0) >= rowsOfLargeTable);
  const plan = (await planLoading(clone, tables, large)).filter(({ kind }) => kind !== 'foreign key');
  await runStatements(
    clone,
    plan.map(({ before }) => before),
  );
  return plan;
}

/** Builds the indexes that were put aside. */
export async function rebuildIndexes(clone: Connection, aside: PutAside[]): Promise<void> {
  await putBack(clone, aside, ['index']);
}

/**
 * Puts back everything else. Foreign keys are checked by that.
 * @throws LizsyncError when rows of the clone's own tables refer to rows that are gone
 */
export async function restoreConstraints(clone: Connection, aside: PutAside[]): Promise<void> {
  const foreignKeyViolation = '23503';
  try {
    await putBack(clone, aside, ['foreign key']);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlstate !== foreignKeyViolation) throw error;
    throw new LizsyncError(`a foreign key of the clone would be violated by the package: ${error.message}`, {
      details: error.details,
      hint: 'Change or delete these rows of the clone, which refer to rows that the package does not have, then deploy again.',
      cause: error,
    });
  }
  await putBack(clone, aside, ['trigger', 'row level security']);
}

function planLoading(
  clone: Connection,
  tables: ExistingTable[],
  large: ExistingTable[],
): Promise<(PutAside & { before: string })[]> {
  return clone.query(readSqlFile('queries/deploy-plan-loading.sql'), [
    tables.map(({ name }) => name),
    large.map(({ name }) => name),
  ]);
}

async function putBack(clone: Connection, aside: PutAside[], kinds: Kind[]): Promise<void> {
  await runStatements(
    clone,
    aside.filter(({ kind }) => kinds.includes(kind)).map(({ after }) => after),
  );
}

async function runStatements(clone: Connection, statements: string[]): Promise<void> {
  if (statements.length > 0) await clone.queryBatch(statements.join('\n'));
}
