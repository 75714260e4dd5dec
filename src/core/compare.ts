import { type Connection, type Notice, withConnection, withTransaction } from '../db/connection.js';
import type { ConnectionSettings } from '../db/connection-settings.js';
import { readSqlFile } from '../db/sql-file.js';
import type { ProgressCallback } from './progress.js';
import { requireServer } from './require-server.js';

export interface CompareOptions {
  central: ConnectionSettings;
  clone: ConnectionSettings;
  /** Compares the tables of these schemas; with `tables`, those of both. Default: all that the clone synchronises. */
  schemas?: string[] | undefined;
  tables?: { schema: string; table: string }[] | undefined;
  /** Ends the comparison when aborted. */
  signal?: AbortSignal | undefined;
}

export interface RowDifference {
  uid: string;
  kind: 'only_central' | 'only_clone' | 'different';
  /** The columns that differ, by name; empty for a row that only one side has. */
  columns: string[];
}

export interface TableComparison {
  schema: string;
  table: string;
  rowsCentral: number;
  rowsClone: number;
  /** How many rows differ. */
  differenceCount: number;
  /** The differing rows by uid; the first 100,000 of the table at most. */
  differences: RowDifference[];
}

export interface CompareResult {
  equal: boolean;
  /** In order of schema and table. */
  tables: TableComparison[];
}

interface TableChecksum {
  row_count: string;
  checksum: string;
}

interface Range {
  range_start: string | null;
  range_end: string | null;
  row_count: string;
}

/** Two databases in which a table is compared. */
interface Sides {
  central: Connection;
  clone: Connection;
}

/** The arguments that say to each function what is compared: schema, table, columns. */
type Subject = [schema: string, table: string, columns: string[]];

// 1000 ranges take 0.1 MB; more would make the ranges of a large table smaller, and fewer rows be asked for one by one
const rangeCount = 1000;
const rowsPerRequest = 50_000;
const columnRowsPerRequest = 5000;
const listedDifferences = 100_000;

/**
 * Compares tables of a clone with those of its central, each side as it is at one moment. The servers compute checksums:
 * of a whole table, then of ranges of uids where those differ, then of the rows of such ranges and of their columns.
 * Equal tables transfer next to nothing, and values never travel.
 *
 * @throws LizsyncError when a table or a column is on one side only, or when the databases are not
 * a central and a clone of this version of lizsync
 */
export async function compare(
  options: CompareOptions,
  onProgress: ProgressCallback = () => {},
): Promise<CompareResult> {
  const { signal } = options;
  const onNotice = ({ severity, message }: Notice): void => {
    if (severity === 'WARNING') onProgress({ kind: 'warning', text: message });
  };
  return withConnection(
    options.clone,
    (clone) =>
      withConnection(
        options.central,
        (central) =>
          withTransaction(clone, { isolation: 'repeatable read', readOnly: true }, () =>
            withTransaction(central, { isolation: 'repeatable read', readOnly: true }, () =>
              compareAll({ central, clone }, options, onProgress),
            ),
          ),
        { role: 'central', signal, onNotice },
      ),
    { role: 'clone', signal, onNotice },
  );
}

async function compareAll(sides: Sides, options: CompareOptions, onProgress: ProgressCallback): Promise<CompareResult> {
  await requireServer(sides.clone, 'clone');
  await requireServer(sides.central, 'central');
  const relations = await ask<{ schema_name: string; table_name: string }>(sides.clone, 'relations', [
    options.schemas ?? null,
    options.tables?.map(({ schema }) => schema) ?? null,
    options.tables?.map(({ table }) => table) ?? null,
  ]);
  const subjects: Subject[] = [];
  // all structures before the first row: a missing table should not be found after an hour
  for (const { schema_name, table_name } of relations) {
    const [central] = await ask<{ columns: string[] | null }>(sides.central, 'columns', [schema_name, table_name]);
    const [clone] = await ask<{ columns: string[] }>(sides.clone, 'check-columns', [
      schema_name,
      table_name,
      central?.columns ?? null,
    ]);
    subjects.push([schema_name, table_name, clone?.columns ?? []]);
  }
  const tables: TableComparison[] = [];
  for (const subject of subjects) {
    onProgress({ kind: 'step', text: `comparing ${subject[0]}.${subject[1]}` });
    tables.push(await compareTable(sides, subject));
  }
  return { equal: tables.every(({ differenceCount }) => differenceCount === 0), tables };
}

async function compareTable(sides: Sides, subject: Subject): Promise<TableComparison> {
  const [[central], [clone]] = await Promise.all([
    ask<TableChecksum>(sides.central, 'table', subject),
    ask<TableChecksum>(sides.clone, 'table', subject),
  ]);
  const comparison: TableComparison = {
    schema: subject[0],
    table: subject[1],
    rowsCentral: Number(central?.row_count),
    rowsClone: Number(clone?.row_count),
    differenceCount: 0,
    differences: [],
  };
  if (central?.row_count === clone?.row_count && central?.checksum === clone?.checksum) return comparison;
  for (const ranges of groupRanges(await findDifferingRanges(sides, subject))) {
    const differences = await compareRows(sides, subject, ranges);
    comparison.differenceCount += differences.length;
    comparison.differences.push(...differences.slice(0, listedDifferences - comparison.differences.length));
  }
  return comparison;
}

async function findDifferingRanges(sides: Sides, subject: Subject): Promise<Range[]> {
  const ranges = await ask<TableChecksum & { range_start: string | null }>(sides.central, 'ranges', [
    ...subject,
    rangeCount,
  ]);
  return ask<Range>(sides.clone, 'find-ranges', [
    ...subject,
    ranges.map(({ range_start }) => range_start),
    ranges.map(({ row_count }) => row_count),
    ranges.map(({ checksum }) => checksum),
  ]);
}

/** Puts ranges together for one request each, so that memory doesn't depend on the size of the table. */
function groupRanges(ranges: Range[]): Range[][] {
  const groups: Range[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const range of ranges) {
    const rangeRows = Number(range.row_count);
    if (rows + rangeRows > rowsPerRequest) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(range);
    rows += rangeRows;
  }
  return groups;
}

async function compareRows(sides: Sides, subject: Subject, ranges: Range[]): Promise<RowDifference[]> {
  const bounds = [ranges.map(({ range_start }) => range_start), ranges.map(({ range_end }) => range_end)];
  const rows = await ask<{ uid: string; checksum: string }>(sides.central, 'rows', [...subject, ...bounds]);
  const found = await ask<{ uid: string; kind: RowDifference['kind'] }>(sides.clone, 'find-rows', [
    ...subject,
    ...bounds,
    rows.map(({ uid }) => uid),
    rows.map(({ checksum }) => checksum),
  ]);
  const columnsByUid = new Map<string, string[]>();
  const uids = found.filter(({ kind }) => kind === 'different').map(({ uid }) => uid);
  for (let start = 0; start < uids.length; start += columnRowsPerRequest) {
    const central = await ask<{ uid: string; checksums: string[] }>(sides.central, 'row-columns', [
      ...subject,
      uids.slice(start, start + columnRowsPerRequest),
    ]);
    const differing = await ask<{ uid: string; column_names: string[] }>(sides.clone, 'find-columns', [
      ...subject,
      central.map(({ uid }) => uid),
      central.map(({ checksums }) => checksums),
    ]);
    for (const { uid, column_names } of differing) columnsByUid.set(uid, column_names);
  }
  return found.map(({ uid, kind }) => ({ uid, kind, columns: columnsByUid.get(uid) ?? [] }));
}

async function ask<Row extends object>(connection: Connection, query: string, values: unknown[]): Promise<Row[]> {
  return connection.query<Row & Record<string, unknown>>(readSqlFile(`queries/compare-${query}.sql`), values);
}
