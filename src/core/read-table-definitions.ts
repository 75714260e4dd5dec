import pg from 'pg';
import type { NeededExtension } from '../archive/manifest.js';
import type { SchemaSection, SectionKind } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';

/** What makes tables: statements in the order in which they must run, and what must be there before. */
export interface TableDefinitions {
  /** Runs before the rows are loaded: schemas, types, functions, sequences, tables, defaults, checks. */
  preData: SchemaSection[];
  /** Runs after that: keys, indexes, statistics, triggers, policies, comments. */
  postData: SchemaSection[];
  extensions: NeededExtension[];
  /** Every sequence that feeds the tables, those of identity columns too. */
  sequences: { schema: string; name: string }[];
  /** Foreign keys to tables outside, which are left out, in words. */
  leftOut: string[];
}

/** A row of sql/queries/package-list-objects.sql; `needs` and `part_of` are keys, such as "pg_type:16411". */
interface ObjectRow {
  catalog: string;
  oid: number;
  type: string;
  schema: string | null;
  name: string | null;
  identity: string;
  relkind: string | null;
  is_packaged_table: boolean;
  extension: string | null;
  part_of: string | null;
  needs: string[];
}

interface StatementRow {
  catalog: string | null;
  oid: number | null;
  statement: string | null;
}

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
 * sequences, extensions. Audit triggers are left out. Needs an empty search_path, so that all names have their schemas.
 *
 * @param tableOids tables and all their partitions, parents before children
 * @throws LizsyncError that names what can't be carried
 */
export async function readTableDefinitions(connection: Connection, tableOids: number[]): Promise<TableDefinitions> {
  const objects = (
    await connection.query<ObjectRow>(readSqlFile('queries/package-list-objects.sql'), [tableOids])
  ).filter(({ schema, extension }) => extension !== null || schema === null || !ownSchemas.has(schema));
  const own = objects.filter((object) => object.extension === null);
  const oidsOf = (isWanted: (object: ObjectRow) => boolean): number[] => own.filter(isWanted).map(({ oid }) => oid);

  const statements = new Map<string, string>();
  const define = async (query: string, oids: number[]): Promise<void> => {
    const rows = await connection.query<StatementRow>(readSqlFile(`queries/package-define-${query}.sql`), [oids]);
    for (const { catalog, oid, statement } of rows) {
      if (statement !== null) statements.set(`${catalog}:${oid}`, statement);
    }
  };
  await define(
    'types',
    oidsOf(({ catalog }) => catalog === 'pg_type'),
  );
  await define(
    'functions',
    oidsOf(({ catalog }) => catalog === 'pg_proc'),
  );
  await define('sequences', oidsOf(isSequence));
  await define('tables', tableOids);
  refuseWhatCannotBeCarried(own, statements);

  const details = await connection.query<StatementRow & { before_data: boolean }>(
    readSqlFile('queries/package-define-table-details.sql'),
    [tableOids],
  );
  const commentable = own.filter(({ catalog }) => catalog !== 'pg_namespace');
  const comments = await connection.query<StatementRow>(readSqlFile('queries/package-define-comments.sql'), [
    commentable.map(({ catalog }) => catalog),
    commentable.map(({ oid }) => oid),
  ]);
  const outside = await connection.query<{ table_name: string; constraint_name: string; referenced_table: string }>(
    readSqlFile('queries/package-list-outside-references.sql'),
    [tableOids],
  );
  const extensions = await connection.query<NeededExtension>(readSqlFile('queries/package-list-extensions.sql'), [
    [...new Set(objects.flatMap(({ extension }) => extension ?? []))],
  ]);

  const schemas = own.filter(({ catalog }) => catalog === 'pg_namespace').map(({ identity }) => identity);
  return {
    preData: [
      ...schemas.map((identity) => section('schema', identity, `create schema if not exists ${identity};`)),
      ...sortByNeed(objects, statements).map((object) =>
        section(kindOf(object), object.identity, statements.get(keyOf(object)) ?? ''),
      ),
      ...toDetails(details.filter(({ before_data }) => before_data)),
    ],
    postData: [...toDetails(details.filter(({ before_data }) => !before_data)), ...toDetails(comments)],
    extensions,
    sequences: own.filter(isSequence).map(({ schema, name }) => ({ schema: schema ?? '', name: name ?? '' })),
    leftOut: outside.map(
      ({ table_name, constraint_name, referenced_table }) =>
        `foreign key ${pg.escapeIdentifier(constraint_name)} of ${table_name} to ${referenced_table}`,
    ),
  };
}

function section(kind: SectionKind, identity: string, sql: string): SchemaSection {
  return { kind, identity, sql };
}

function toDetails(rows: StatementRow[]): SchemaSection[] {
  return rows.flatMap(({ statement }) => (statement === null ? [] : [section('detail', '', statement)]));
}

function keyOf({ catalog, oid }: ObjectRow): string {
  return `${catalog}:${oid}`;
}

function isSequence({ catalog, relkind }: ObjectRow): boolean {
  return catalog === 'pg_class' && relkind === 'S';
}

function kindOf(object: ObjectRow): SectionKind {
  if (object.catalog === 'pg_type') return 'type';
  if (object.catalog === 'pg_proc') return 'function';
  if (object.catalog === 'pg_collation') return 'collation';
  return isSequence(object) ? 'sequence' : 'table';
}

function refuseWhatCannotBeCarried(objects: ObjectRow[], statements: Map<string, string>): void {
  const lost = objects.filter((object) => !isCarried(object, statements));
  if (lost.length === 0) return;
  const details = lost.map((object) => {
    const users = objects
      .filter(({ needs }) => needs.includes(keyOf(object)))
      .map(({ type, identity }) => `${type} ${identity}`);
    return `${object.type} ${object.identity}${users.length === 0 ? '' : `, which is needed by ${users.join(', ')}`}`;
  });
  throw new LizsyncError('the tables depend on something that a package cannot carry', {
    details,
    hint:
      'Add the tables that are named to the package, or remove what depends on the rest. What belongs to an extension is ' +
      'no obstacle.',
  });
}

function isCarried(object: ObjectRow, statements: Map<string, string>): boolean {
  const { catalog, relkind } = object;
  if (statements.has(keyOf(object)) || object.part_of !== null) return true;
  if (catalog === 'pg_namespace' || partCatalogs.has(catalog)) return true;
  // indexes come with their tables, sequences of identity columns too
  return catalog === 'pg_class' && (relkind === 'i' || relkind === 'I' || relkind === 'S');
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
        details: path.slice(path.indexOf(object)).map(({ type, identity }) => `${type} ${identity}`),
      });
    }
    for (const needed of needs.get(object) ?? []) visit(needed, [...path, object]);
    sorted.add(object);
  };
  for (const object of objects) visit(object, []);
  return [...sorted];
}
