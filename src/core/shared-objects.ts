import type { SchemaSection, SectionKind } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';

/** Kinds of objects that tables use, or that use tables, and that others in the same database may use too. */
export type SharedKind = Exclude<SectionKind, 'schema' | 'table' | 'detail'>;

/** Files with the queries that give the statements which create objects, by kind. */
export const definingQueries: Record<SharedKind, string> = {
  type: 'queries/package-define-types.sql',
  collation: 'queries/package-define-collations.sql',
  function: 'queries/package-define-functions.sql',
  'text search dictionary': 'queries/package-define-text-search-dictionaries.sql',
  'text search configuration': 'queries/package-define-text-search-configurations.sql',
  sequence: 'queries/package-define-sequences.sql',
  view: 'queries/package-define-views.sql',
  'materialized view': 'queries/package-define-views.sql',
};

const undefinedObject = '42704';
const undefinedSchema = '3F000';
const dependentObjectsExist = '2BP01';
const wrongObjectType = '42809';

const dropStatements: Record<SharedKind, string> = {
  type: 'drop type',
  collation: 'drop collation',
  function: 'drop routine',
  'text search dictionary': 'drop text search dictionary',
  'text search configuration': 'drop text search configuration',
  sequence: 'drop sequence',
  view: 'drop view',
  'materialized view': 'drop materialized view',
};

export type SharedSection = SchemaSection & { kind: SharedKind };

export function isShared(section: SchemaSection): section is SharedSection {
  return Object.hasOwn(dropStatements, section.kind);
}

/** The statement that would make the object of a section anew as it is in this database; undefined: there is none. */
export async function readDefinition(connection: Connection, section: SharedSection): Promise<string | undefined> {
  const { kind, identity } = section;
  const found = await orUndefined(
    connection,
    () => connection.query<{ oid: number | null }>(readSqlFile('queries/deploy-find-object.sql'), [kind, identity]),
    [undefinedObject, undefinedSchema],
  );
  const oid = found?.[0]?.oid ?? null;
  if (oid === null) return undefined;
  const [row] = await connection.query<{ statement: string | null }>(readSqlFile(definingQueries[kind]), [[oid]]);
  return row?.statement ?? '';
}

/**
 * Drops the objects of sections that exist and that nothing else uses.
 * @returns the identities of those that stay
 */
export async function dropUnusedObjects(connection: Connection, sections: SharedSection[]): Promise<Set<string>> {
  const kept = new Set<string>();
  for (const { kind, identity } of sections.toReversed()) {
    const dropped = await orUndefined(
      connection,
      () => connection.queryBatch(`${dropStatements[kind]} if exists ${identity}`),
      [dependentObjectsExist, wrongObjectType],
    );
    if (dropped === undefined) kept.add(identity);
  }
  return kept;
}

/** Within a transaction, the result of work, or undefined when it fails in one of some ways, which changes nothing then. */
async function orUndefined<T>(
  connection: Connection,
  work: () => Promise<T>,
  sqlstates: string[],
): Promise<T | undefined> {
  await connection.queryBatch('savepoint try_work');
  let result: T | undefined;
  try {
    result = await work();
  } catch (error) {
    if (!(error instanceof DatabaseError) || !sqlstates.includes(error.sqlstate ?? '')) throw error;
    await connection.queryBatch('rollback to savepoint try_work');
  }
  await connection.queryBatch('release savepoint try_work');
  return result;
}
