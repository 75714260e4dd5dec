import pg from 'pg';
import type { NeededExtension } from '../archive/manifest.js';
import type { SchemaSection } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { isSequence, keyOf, kindOf, sortByNeed, takeInventory } from './take-inventory.js';

/** What makes tables: statements in the order in which they must run, and what must be there before. */
export interface TableDefinitions {
  /** Runs before the rows are loaded: schemas, types, functions, sequences, tables, defaults, checks. */
  preData: SchemaSection[];
  /** Runs after that: keys, indexes, statistics, triggers, policies, comments, rights. */
  postData: SchemaSection[];
  extensions: NeededExtension[];
  /** Every sequence that feeds the tables, those of identity columns too. */
  sequences: { schema: string; name: string }[];
  /** What is left out, in words: foreign keys to tables outside, functions that can't be carried, publications, ... */
  leftOut: string[];
}

/** A row of the queries that give statements. */
export interface StatementRow {
  catalog: string | null;
  oid: number | null;
  statement: string | null;
  roles?: string[] | null;
}

/**
 * Reads from the catalogs what it takes to make tables anew elsewhere, with everything they use: types, functions,
 * sequences, extensions. Audit triggers are left out. Needs a transaction with an empty search_path, so that all names have their schemas.
 *
 * @param tableOids tables and all their partitions, parents before children
 * @throws LizsyncError that names what can't be carried
 */
export async function readTableDefinitions(connection: Connection, tableOids: number[]): Promise<TableDefinitions> {
  // names are compared as texts here
  await connection.queryBatch('set local quote_all_identifiers = off');
  const { objects, statements, leftOut } = await takeInventory(connection, tableOids);
  const own = objects.filter((object) => object.extension === null);
  const query = <Row extends object>(name: string, ...values: unknown[]): Promise<Row[]> =>
    connection.query<Row>(readSqlFile(`queries/package-${name}.sql`), values);

  const details = await query<StatementRow & { before_data: boolean }>('define-table-details', tableOids);
  const catalogs = own.map(({ catalog }) => catalog);
  const oids = own.map(({ oid }) => oid);
  const comments = await query<StatementRow>('define-comments', catalogs, oids);
  const grants = await query<StatementRow>('define-grants', catalogs, oids);
  const outside = await query<{ table_name: string; constraint_name: string; referenced_table: string }>(
    'list-outside-references',
    tableOids,
  );
  const losses = await query<{ text: string }>('list-left-out', catalogs, oids, tableOids);
  const extensionNames = [...new Set(objects.flatMap(({ extension }) => extension ?? []))];
  const extensions = await query<NeededExtension>('list-extensions', extensionNames);

  return {
    preData: [
      ...own
        .filter(({ catalog }) => catalog === 'pg_namespace')
        .map(({ identity }) => ({
          kind: 'schema' as const,
          identity,
          sql: `create schema if not exists ${identity};`,
        })),
      ...sortByNeed(objects, statements).map((object) => ({
        kind: kindOf(object),
        identity: object.identity,
        sql: statements.get(keyOf(object)) ?? '',
      })),
      ...toDetails(details.filter(({ before_data }) => before_data)),
    ],
    postData: toDetails([...details.filter(({ before_data }) => !before_data), ...comments, ...grants]),
    extensions,
    sequences: own
      .filter(isSequence)
      .map(({ relation_schema, relation_name }) => ({ schema: relation_schema ?? '', name: relation_name ?? '' })),
    leftOut: [
      ...outside.map(
        ({ table_name, constraint_name, referenced_table }) =>
          `foreign key ${pg.escapeIdentifier(constraint_name)} of ${table_name} to ${referenced_table}, a table outside`,
      ),
      ...leftOut,
      ...losses.map(({ text }) => text),
    ],
  };
}

/** Makes sections of statements that create no objects of a kind of their own. */
export function toDetails(rows: StatementRow[]): SchemaSection[] {
  return rows.flatMap(({ statement, roles }) =>
    statement === null ? [] : [{ kind: 'detail', identity: '', sql: statement, ...(roles ? { roles } : {}) }],
  );
}
