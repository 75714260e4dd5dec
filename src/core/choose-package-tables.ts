import pg from 'pg';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError, UsageError } from '../errors.js';

export interface TableName {
  schema: string;
  table: string;
}

/** A table that goes into a package; a partitioned one stands for all its partitions. */
export interface PackageTable {
  oid: number;
  schema: string;
  name: string;
  isPartitioned: boolean;
  /** Columns whose values go into the package, in the table's order. */
  columns: string[];
  excludedColumns: string[];
  estimatedRows: number;
  /** On disk, without indexes. */
  estimatedBytes: number;
}

/** A row of sql/queries/package-list-tables.sql. */
interface TableRow {
  oid: number;
  schema: string;
  name: string;
  kind: string;
  persistence: string;
  is_partition: boolean;
  by_schema: boolean;
  of_extension: boolean;
  has_uid: boolean;
  is_logged: boolean;
  has_triggers: boolean;
  excluded_columns: string[] | null;
  unfit_partitions: string[] | null;
  estimated_rows: number;
  estimated_bytes: number;
}

const kindNames: Record<string, string> = { v: 'view', m: 'materialized view', f: 'foreign table' };
const neverWhole = new Set(['public', 'audit', 'lizsync', 'information_schema']);

/**
 * Finds the tables that go into a package.
 * @param withViews whether views are none of what is left out
 * @returns the tables in the order of their names, and what of the schemas is left out, in words
 * @throws UsageError when something named does not exist or can't be packaged
 * @throws LizsyncError when tables are not prepared, with the command that prepares them
 */
export async function choosePackageTables(
  connection: Connection,
  schemas: string[],
  tables: TableName[],
  withViews = false,
): Promise<{ tables: PackageTable[]; leftOut: string[] }> {
  checkSchemas(schemas);
  const rows = await connection.query<TableRow>(readSqlFile('queries/package-list-tables.sql'), [
    schemas,
    tables.map(({ schema }) => schema),
    tables.map(({ table }) => table),
  ]);
  checkExistence(rows, schemas, tables);

  const unfit = rows.flatMap((row) => {
    const reason = findObstacle(row);
    return reason === undefined ? [] : [{ row, reason }];
  });
  const named = unfit.filter(({ row }) =>
    tables.some(({ schema, table }) => schema === row.schema && table === row.name),
  );
  if (named.length > 0) {
    throw new UsageError('not everything that is named can be packaged', {
      details: named.map(({ row, reason }) => `${quoteName(row)} ${reason}`),
    });
  }
  const fit = rows.filter((row) => !unfit.some((other) => other.row === row));
  if (fit.length === 0) throw new UsageError(`there is no table in ${schemas.map(quote).join(', ')}`);
  checkPartitions(fit);
  checkPrepared(fit);
  return {
    tables: await addColumns(connection, fit),
    leftOut: unfit
      .filter(({ row }) => !row.of_extension && !(withViews && isView(row)))
      .map(({ row, reason }) => `${quoteName(row)}, which ${reason}`),
  };
}

function checkSchemas(schemas: string[]): void {
  const refused = schemas.filter((schema) => neverWhole.has(schema) || schema.startsWith('pg_'));
  if (refused.length === 0) return;
  throw new UsageError(`the schema ${refused.map(quote).join(', ')} is never packaged as a whole`, {
    hint: 'Name its tables: --tables public.parcels,public.trees',
  });
}

function checkExistence(rows: TableRow[], schemas: string[], tables: TableName[]): void {
  const missing = [
    ...schemas
      .filter((schema) => !rows.some((row) => row.schema === schema))
      .map((schema) => `schema ${quote(schema)}`),
    ...tables
      .filter(({ schema, table }) => !rows.some((row) => row.schema === schema && row.name === table))
      .map(({ schema, table }) => `table ${quote(schema)}.${quote(table)}`),
  ];
  if (missing.length === 0) return;
  throw new UsageError('not everything that is named is there', {
    details: missing.map((name) => `${name} does not exist${name.startsWith('schema') ? ' or has no table' : ''}`),
  });
}

function findObstacle(row: TableRow): string | undefined {
  const kind = kindNames[row.kind];
  if (kind !== undefined) return `is a ${kind}`;
  if (row.of_extension) return 'belongs to an extension';
  if (row.persistence === 'u') return 'is unlogged';
  if (row.persistence === 't') return 'is temporary';
  if (row.is_partition) return 'is a partition: name the table that it is part of';
  return undefined;
}

function isView({ kind }: TableRow): boolean {
  return kind === 'v' || kind === 'm';
}

function checkPrepared(rows: TableRow[]): void {
  const unprepared = rows.filter((row) => !(row.is_logged && row.has_uid && row.has_triggers));
  if (unprepared.length === 0) return;
  const bySchema = unprepared.every(({ by_schema }) => by_schema) && unprepared.length === rows.length;
  const argument = bySchema
    ? `--schemas ${shellQuote([...new Set(unprepared.map(({ schema }) => quoteIfNeeded(schema)))].join(','))}`
    : `--tables ${shellQuote(unprepared.map(quoteName).join(','))}`;
  throw new LizsyncError(
    unprepared.length === 1 ? 'a table is not prepared' : `${unprepared.length} tables are not prepared`,
    {
      details: unprepared.map(
        (row) =>
          `${quoteName(row)}: ${row.has_uid ? '' : 'no uid column, '}${row.has_triggers ? 'not registered' : 'no audit triggers'}`,
      ),
      hint: `Run: lizsync prepare-central --central ${argument}`,
    },
  );
}

/** A package would make tables of its own of them, or take rows from elsewhere. */
function checkPartitions(rows: TableRow[]): void {
  const details = rows.flatMap((row) =>
    (row.unfit_partitions ?? []).map((text) => `${quoteName(row)} has the partition ${text}`),
  );
  if (details.length === 0) return;
  throw new LizsyncError('partitions are of a kind that a package cannot carry', {
    details,
    hint: 'Detach them, or make ordinary tables of them: alter table ... set logged',
  });
}

async function addColumns(connection: Connection, rows: TableRow[]): Promise<PackageTable[]> {
  const columns = await connection.query<{ oid: number; name: string; needs_value: boolean }>(
    readSqlFile('queries/package-list-columns.sql'),
    [rows.map(({ oid }) => oid)],
  );
  return rows.map((row) => {
    const excluded = row.excluded_columns ?? [];
    const own = columns.filter(({ oid }) => oid === row.oid);
    const needed = own.filter(({ name, needs_value }) => needs_value && excluded.includes(name));
    if (needed.length > 0) {
      throw new LizsyncError(
        `${quoteName(row)} cannot be packaged: excluded columns are empty in a clone, but these must have a value`,
        {
          details: needed.map(({ name }) => `${quoteName(row)}.${quoteIfNeeded(name)}`),
          hint: 'Give them a default, allow null, or do not exclude them.',
        },
      );
    }
    return {
      oid: row.oid,
      schema: row.schema,
      name: row.name,
      isPartitioned: row.kind === 'p',
      columns: own.map(({ name }) => name).filter((name) => !excluded.includes(name)),
      excludedColumns: excluded,
      estimatedRows: row.estimated_rows,
      estimatedBytes: row.estimated_bytes,
    };
  });
}

function quote(name: string): string {
  return pg.escapeIdentifier(name);
}

/** As `--tables` and `--schemas` want it. */
function quoteIfNeeded(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quote(name);
}

function quoteName({ schema, name }: { schema: string; name: string }): string {
  return `${quoteIfNeeded(schema)}.${quoteIfNeeded(name)}`;
}

function shellQuote(text: string): string {
  return /^[\w.,]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
