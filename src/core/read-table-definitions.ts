import pg from 'pg';
import type { NeededExtension } from '../archive/manifest.js';
import type { SchemaSection, SectionKind } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import { definingQueries, type SharedKind } from './shared-objects.js';

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

/** A row of sql/queries/package-list-objects.sql; `needs` and `part_of` are keys, such as "pg_type:16411". */
interface ObjectRow {
  catalog: string;
  oid: number;
  type: string;
  /** Quoted as SQL needs it, as is identity. */
  schema: string | null;
  relation_schema: string | null;
  relation_name: string | null;
  identity: string;
  relkind: string | null;
  extension: string | null;
  part_of: string | null;
  needs: string[];
}

interface StatementRow {
  catalog: string | null;
  oid: number | null;
  statement: string | null;
  roles?: string[] | null;
}

/** Objects with what they need, and the statements that create them, by the keys of the objects. */
interface Inventory {
  objects: ObjectRow[];
  statements: Map<string, string>;
}

/** Objects that have statements of their own, by catalog. */
const definedKinds = new Map<string, SharedKind>([
  ['pg_type', 'type'],
  ['pg_collation', 'collation'],
  ['pg_proc', 'function'],
  ['pg_ts_dict', 'text search dictionary'],
  ['pg_ts_config', 'text search configuration'],
]);

/** Catalogs of what belongs to the tables: made by the statements of sql/queries/package-define-table-details.sql. */
const partCatalogs = new Set([
  'pg_constraint',
  'pg_attrdef',
  'pg_trigger',
  'pg_policy',
  'pg_rewrite',
  'pg_statistic_ext',
]);

/** Schemas that are there before the tables, since they are those of lizsync. */
const ownSchemas = new Set(['audit', 'lizsync']);

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

/**
 * Finds everything that the tables are made of. What functions call inside their bodies is not in the catalogs: functions
 * whose names stand there are taken too, unless they need something that can't be carried.
 */
async function takeInventory(connection: Connection, tableOids: number[]): Promise<Inventory & { leftOut: string[] }> {
  const called = new Map<number, string>();
  const refused = new Map<number, string>();
  for (;;) {
    const inventory = await listObjects(connection, tableOids, [...called.keys()]);
    const lost = inventory.objects.filter((object) => !isCarried(object, inventory.statements));
    if (lost.length > 0) {
      const users = findUsers(inventory.objects, lost);
      const guilty = users.filter(({ catalog, oid }) => catalog === 'pg_proc' && called.has(oid));
      if (guilty.length === 0) throw describeLost(inventory.objects, lost);
      for (const { oid, identity } of guilty) {
        called.delete(oid);
        refused.set(
          oid,
          `function ${identity}, which another seems to call: it needs ${lost.map(describe).join(', ')}`,
        );
      }
      continue;
    }
    const functions = inventory.objects.filter(({ catalog, extension }) => catalog === 'pg_proc' && extension === null);
    const known = new Set(functions.map(({ oid }) => oid));
    const more = await connection.query<{ oid: number; identity: string }>(
      readSqlFile('queries/package-list-called-functions.sql'),
      [[...known]],
    );
    const unknown = more.filter(({ oid }) => !known.has(oid) && !refused.has(oid));
    if (unknown.length === 0) return { ...inventory, leftOut: [...refused.values()] };
    for (const { oid, identity } of unknown) called.set(oid, identity);
  }
}

async function listObjects(connection: Connection, tableOids: number[], functionOids: number[]): Promise<Inventory> {
  const objects = (
    await connection.query<ObjectRow>(readSqlFile('queries/package-list-objects.sql'), [tableOids, functionOids])
  ).filter(({ schema, extension }) => extension !== null || schema === null || !ownSchemas.has(schema));
  const statements = new Map<string, string>();
  const define = async (query: string, isWanted: (object: ObjectRow) => boolean): Promise<void> => {
    const oids = objects.filter((object) => object.extension === null && isWanted(object)).map(({ oid }) => oid);
    if (oids.length === 0) return;
    const rows = await connection.query<StatementRow>(readSqlFile(query), [oids]);
    for (const { catalog, oid, statement } of rows) {
      if (statement !== null) statements.set(`${catalog}:${oid}`, statement);
    }
  };
  for (const [wanted, kind] of definedKinds) await define(definingQueries[kind], ({ catalog }) => catalog === wanted);
  await define(definingQueries.sequence, isSequence);
  await define(
    'queries/package-define-tables.sql',
    ({ catalog, oid }) => catalog === 'pg_class' && tableOids.includes(oid),
  );
  return { objects, statements };
}

function toDetails(rows: StatementRow[]): SchemaSection[] {
  return rows.flatMap(({ statement, roles }) =>
    statement === null ? [] : [{ kind: 'detail', identity: '', sql: statement, ...(roles ? { roles } : {}) }],
  );
}

function keyOf({ catalog, oid }: ObjectRow): string {
  return `${catalog}:${oid}`;
}

function describe({ type, identity }: ObjectRow): string {
  return `${type} ${identity}`;
}

function isSequence({ catalog, relkind }: ObjectRow): boolean {
  return catalog === 'pg_class' && relkind === 'S';
}

function kindOf(object: ObjectRow): SectionKind {
  return definedKinds.get(object.catalog) ?? (isSequence(object) ? 'sequence' : 'table');
}

function isCarried(object: ObjectRow, statements: Map<string, string>): boolean {
  const { catalog, relkind, extension } = object;
  if (extension !== null || statements.has(keyOf(object)) || object.part_of !== null) return true;
  if (catalog === 'pg_namespace' || partCatalogs.has(catalog)) return true;
  // indexes come with their tables, sequences of identity columns too
  return catalog === 'pg_class' && (relkind === 'i' || relkind === 'I' || relkind === 'S');
}

function describeLost(objects: ObjectRow[], lost: ObjectRow[]): LizsyncError {
  return new LizsyncError('the tables depend on something that a package cannot carry', {
    details: lost.map((object) => {
      const users = objects.filter(({ needs }) => needs.includes(keyOf(object))).map(describe);
      return `${describe(object)}${users.length === 0 ? '' : `, which is needed by ${users.join(', ')}`}`;
    }),
    hint:
      'Add the tables that are named to the package, or remove what depends on the rest. What belongs to an extension is ' +
      'no obstacle.',
  });
}

/** The objects that need some of the given ones, directly or through others. */
function findUsers(objects: ObjectRow[], needed: ObjectRow[]): ObjectRow[] {
  const users = new Set(needed);
  for (const found of users) {
    for (const object of objects) {
      if (object.needs.includes(keyOf(found)) || found.part_of === keyOf(object)) users.add(object);
    }
  }
  return [...users];
}

/** The objects that have statements of their own, each behind those that it needs, otherwise in their given order. */
function sortByNeed(objects: ObjectRow[], statements: Map<string, string>): ObjectRow[] {
  const byKey = new Map(objects.map((object) => [keyOf(object), object]));
  const wholeOf = (object: ObjectRow): ObjectRow => {
    const whole = object.part_of === null ? undefined : byKey.get(object.part_of);
    return whole === undefined ? object : wholeOf(whole);
  };
  const needs = new Map<ObjectRow, Set<ObjectRow>>();
  for (const object of objects) {
    const whole = wholeOf(object);
    const needed = needs.get(whole) ?? new Set();
    for (const key of object.needs) {
      const other = byKey.get(key);
      if (other !== undefined && wholeOf(other) !== whole) needed.add(wholeOf(other));
    }
    needs.set(whole, needed);
  }
  const sorted = new Set<ObjectRow>();
  const visit = (object: ObjectRow, path: ObjectRow[]): void => {
    if (sorted.has(object) || !statements.has(keyOf(object))) return;
    if (path.includes(object)) {
      throw new LizsyncError('definitions depend on each other in a circle, which a package cannot carry', {
        details: path.slice(path.indexOf(object)).map(describe),
      });
    }
    for (const needed of needs.get(object) ?? []) visit(needed, [...path, object]);
    sorted.add(object);
  };
  for (const object of objects) visit(object, []);
  return [...sorted];
}
