import type { NeededExtension } from '../archive/manifest.js';
import type { SchemaSection } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { type StatementRow, toDetails } from './read-table-definitions.js';
import { keyOf, kindOf, sortByNeed, takeInventory } from './take-inventory.js';

/** What makes the views of some schemas, where their tables are. */
export interface ViewDefinitions {
  /** Statements in the order in which they must run: what only views use, views, their indexes, triggers, comments. */
  sections: SchemaSection[];
  /** Everything that the tables and the views need. */
  extensions: NeededExtension[];
  views: number;
  /** The views that can't be carried, and why. */
  leftOut: string[];
}

/**
 * Reads from the catalogs what it takes to make the views of some schemas anew, as far as they depend on nothing but the
 * tables and on what can be carried with them. Rights on views are not read. Needs a transaction as for readTableDefinitions.
 * @param tableOids tables and all their partitions
 */
export async function readViewDefinitions(
  connection: Connection,
  tableOids: number[],
  schemas: string[],
): Promise<ViewDefinitions> {
  await connection.queryBatch('set local quote_all_identifiers = off');
  const query = <Row extends object>(name: string, ...values: unknown[]): Promise<Row[]> =>
    connection.query<Row>(readSqlFile(`queries/package-${name}.sql`), values);
  const candidates = await query<{ oid: number }>('list-views', schemas);
  const tables = await takeInventory(connection, tableOids);
  const ofTables = new Set(tables.objects.map(keyOf));
  const { objects, statements, leftOut, views } = await takeInventory(connection, tableOids, {
    oids: candidates.map(({ oid }) => oid),
    ofTables,
  });
  const added = objects.filter((object) => object.extension === null && !ofTables.has(keyOf(object)));
  const catalogs = added.map(({ catalog }) => catalog);
  const oids = added.map(({ oid }) => oid);
  const extensionNames = [...new Set(objects.flatMap(({ extension }) => extension ?? []))];

  const sections: SchemaSection[] = added
    .filter(({ catalog }) => catalog === 'pg_namespace')
    .map(({ identity }) => ({ kind: 'schema', identity, sql: `create schema if not exists ${identity};` }));
  for (const object of sortByNeed(objects, statements)) {
    if (ofTables.has(keyOf(object))) continue;
    sections.push({ kind: kindOf(object), identity: object.identity, sql: statements.get(keyOf(object)) ?? '' });
    if (object.catalog !== 'pg_class') continue;
    // the next view may need what belongs to this one
    const details = toDetails(await query<StatementRow>('define-table-details', [object.oid]));
    sections.push(...details.map((detail) => ({ ...detail, identity: object.identity })));
  }
  const comments = await query<StatementRow & { catalog: string; oid: number }>('define-comments', catalogs, oids);
  const losses = await query<{ text: string }>('list-left-out', catalogs, oids, views);
  return {
    sections: [...sections, ...toDetails(comments)],
    extensions: await query<NeededExtension>('list-extensions', extensionNames),
    views: views.length,
    // what functions seem to call has been named with the tables
    leftOut: [...leftOut.filter((text) => !tables.leftOut.includes(text)), ...losses.map(({ text }) => text)],
  };
}
