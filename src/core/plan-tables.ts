import { postDataEntryName, preDataEntryName } from '../archive/manifest.js';
import type { SchemaSection } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { DatabaseError } from '../db/postgres-error.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import { applySchemaScript } from './apply-schema-script.js';
import { readTableDefinitions, type TableDefinitions } from './read-table-definitions.js';
import { isShared, readDefinition } from './shared-objects.js';

/** What the tables of a package are made of. */
export type WantedDefinitions = Pick<TableDefinitions, 'preData' | 'postData'>;

/** How the tables of a package come into a clone. */
export type TablePlan =
  /** The clone has none of them. */
  | { kind: 'new' }
  /** Those that exist stay as they are, with everything that depends on them, and get other rows. */
  | {
      kind: 'in place';
      existing: ExistingTable[];
      /** Functions that exist and become others. */
      functions: SchemaSection[];
      /** What is missing, and runs before the rows are loaded: new tables for instance. */
      preData: SchemaSection[];
      /** What is missing, and runs after that. */
      postData: SchemaSection[];
    }
  /** Those that exist are dropped and made anew, because their definitions differ. */
  | {
      kind: 'rebuild';
      existing: ExistingTable[];
      /** Functions of the package that must be dropped with the tables. */
      functions: string[];
      /** In what they differ. */
      differences: string[];
      /** What uses them and is not in the package, as "view public.v depends on table test.a". */
      dependents: string[];
      /** Everything outside the package that would be dropped with the tables, dependents of dependents too. */
      dropped: string[];
      /** What the clone has beside the package and can have again afterwards: indexes, rights. */
      local: SchemaSection[];
    };

export interface ExistingTable {
  schema: string;
  table: string;
  /** Both, quoted as SQL needs it. */
  name: string;
  isPartitioned: boolean;
}

/** A row of sql/queries/deploy-list-obstacles.sql. */
interface ObstacleRow {
  oid: number;
  schema: string;
  table_name: string;
  name: string;
  is_table: boolean;
  is_partitioned: boolean;
  is_deployed: boolean;
}

/**
 * Compares the tables of a clone with those of a package. Needs a transaction, which is as before afterwards.
 * @param tables of the package
 * @param wanted their definitions, without those that are about unknown roles
 * @param isOurs whether the clone was deployed before
 * @throws LizsyncError when relations that are not of a clone have the names of tables
 */
export async function planTables(
  clone: Connection,
  tables: { schema: string; name: string }[],
  wanted: WantedDefinitions,
  isOurs: boolean,
): Promise<TablePlan> {
  const rows = await findTables(clone, tables);
  const obstacles = rows.filter(({ is_table, is_deployed }) => !is_table || !is_deployed);
  if (obstacles.length > 0) {
    throw new LizsyncError('the database has relations with the names of packaged tables, which are not of a clone', {
      details: obstacles.map(({ name }) => name),
      hint: 'Rename or drop them, or deploy into another database.',
    });
  }
  if (rows.length === 0 || !isOurs) return { kind: 'new' };
  const existing = rows.map(({ schema, table_name, name, is_partitioned }) => ({
    schema,
    table: table_name,
    name,
    isPartitioned: is_partitioned,
  }));
  const names = existing.map(({ name }) => name);
  const current = await readTables(clone, rows);
  let comparison = await compareDefinitions(clone, current, wanted);
  if (comparison.differences.length > 0) {
    // other versions of PostgreSQL and of this program have other words for the same: ask this server for its own
    const translated = await translate(clone, tables, names, wanted);
    if (translated !== undefined) comparison = await compareDefinitions(clone, current, translated);
  }
  const { differences, local, ...missing } = comparison;
  if (differences.length === 0) return { kind: 'in place', existing, ...missing };
  const packagedFunctions = wanted.preData.filter(({ kind }) => kind === 'function').map(({ identity }) => identity);
  return { kind: 'rebuild', existing, differences, local, ...(await listDependents(clone, names, packagedFunctions)) };
}

/** Drops tables, with all that depends on them. */
export async function dropTables(clone: Connection, names: string[]): Promise<void> {
  await clone.queryBatch(`drop table ${names.join(', ')} cascade`);
}

function findTables(clone: Connection, tables: { schema: string; name: string }[]): Promise<ObstacleRow[]> {
  return clone.query<ObstacleRow>(readSqlFile('queries/deploy-list-obstacles.sql'), [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ]);
}

/** The definitions of tables as they are; undefined when a package could not carry them. */
async function readTables(clone: Connection, tables: { oid: number }[]): Promise<TableDefinitions | undefined> {
  const expanded = await clone.query<{ oid: number }>(readSqlFile('queries/package-expand-tables.sql'), [
    tables.map(({ oid }) => oid),
  ]);
  try {
    return await readTableDefinitions(
      clone,
      expanded.map(({ oid }) => oid),
    );
  } catch (error) {
    if (error instanceof DatabaseError || !(error instanceof LizsyncError)) throw error;
    return undefined;
  }
}

interface Comparison {
  /** Of what can't be changed while the tables stay. */
  differences: string[];
  functions: SchemaSection[];
  preData: SchemaSection[];
  postData: SchemaSection[];
  /** Harmless additions of the clone. */
  local: SchemaSection[];
}

async function compareDefinitions(
  clone: Connection,
  current: TableDefinitions | undefined,
  wanted: WantedDefinitions,
): Promise<Comparison> {
  const sections = [...(current?.preData ?? []), ...(current?.postData ?? [])];
  const have = new Set(sections.map(toKey));
  const want = new Set([...wanted.preData, ...wanted.postData].map(toKey));
  const preData = wanted.preData.filter((section) => !have.has(toKey(section)));
  const postData = wanted.postData.filter((section) => !have.has(toKey(section)));
  // what is used by nothing but additions is an addition, too
  const extra = sections.filter((section) => !want.has(toKey(section)) && isOfTable(section));
  const local = extra.filter(isHarmless);
  const differences = extra.filter((section) => !isHarmless(section)).map(describe);
  if (current === undefined) differences.push('something in the clone that a package cannot carry');
  const existing = new Set(sections.filter(({ kind }) => kind === 'table').map(({ identity }) => identity));
  differences.push(...preData.filter(({ kind, identity }) => kind === 'table' && existing.has(identity)).map(describe));
  const names = new Set(local.map(nameIndex));
  differences.push(...postData.filter((section) => nameIndex(section) && names.has(nameIndex(section))).map(describe));
  const functions: SchemaSection[] = [];
  for (const section of preData) {
    const found = isShared(section) ? await readDefinition(clone, section) : undefined;
    if (found === undefined) continue;
    if (section.kind === 'function' && (await canBeRun(clone, section.sql))) functions.push(section);
    else if (found !== section.sql || section.kind === 'sequence') differences.push(describe(section));
  }
  const order = orderNewPartitions(
    preData.filter((section) => !functions.includes(section)),
    postData,
  );
  return { differences: [...new Set(differences)], functions, ...order, local };
}

/** A partition that comes to a table with indexes needs its own before: else it gets others, which are not the central's. */
function orderNewPartitions(preData: SchemaSection[], postData: SchemaSection[]): WantedDefinitions {
  const isAttached = ({ sql }: SchemaSection): boolean => /^alter table only .+ attach partition /.test(sql);
  const isIndex = ({ sql }: SchemaSection): boolean =>
    /^(create (unique )?index|alter table only .+ add constraint .+ (primary key|unique|exclude)) /i.test(sql);
  const first = preData.findIndex(isAttached);
  if (first < 0) return { preData, postData };
  return {
    preData: [...preData.slice(0, first), ...postData.filter(isIndex), ...preData.slice(first)],
    postData: postData.filter((section) => !isIndex(section)),
  };
}

/** Tries a statement, and takes it back. */
async function canBeRun(clone: Connection, sql: string): Promise<boolean> {
  await clone.queryBatch('savepoint try_statement; set local check_function_bodies = off');
  try {
    await clone.queryBatch(sql);
    return true;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.isConnectionFailure) throw error;
    return false;
  } finally {
    if (!clone.isBroken) await clone.queryBatch('rollback to savepoint try_statement; release savepoint try_statement');
  }
}

/** What makes two sections the same. A clone may have ranges of its own in its sequences. */
function toKey({ kind, identity, sql }: SchemaSection): string {
  const text = kind === 'table' || kind === 'sequence' ? sql.replace(sequenceRange, '$<increment>') : sql;
  return JSON.stringify([kind, identity, text]);
}

const sequenceRange = / start with -?\d+(?<increment> increment by -?\d+) minvalue -?\d+ maxvalue -?\d+/g;

function isOfTable({ kind }: SchemaSection): boolean {
  return kind === 'table' || kind === 'detail';
}

/** Additions of these kinds neither change rows nor forbid any. */
function isHarmless({ kind, sql }: SchemaSection): boolean {
  return kind === 'detail' && /^(create index|create statistics|grant|revoke|comment on) /i.test(sql);
}

/** What has the name of an index or of a statistics object; undefined for anything else. */
function nameIndex({ sql }: SchemaSection): string | undefined {
  const [, kind, name, table] = /^create (?:unique )?(index|statistics) (.+?) (?:on (.+?) using )?/i.exec(sql) ?? [];
  return kind === undefined ? undefined : `${kind.toLowerCase()} ${name} ${table ?? ''}`;
}

function describe({ kind, identity, sql }: SchemaSection): string {
  if (kind !== 'detail') return `${kind} ${identity}`;
  const [line = ''] = sql.split('\n');
  return line.length <= 200 ? line : `${line.slice(0, 200)} ...`;
}

/**
 * Makes the tables anew, without rows, to read how this server defines them, and takes that back.
 * @returns undefined when they can't be made here: whoever makes them in earnest finds out why
 */
async function translate(
  clone: Connection,
  tables: { schema: string; name: string }[],
  existing: string[],
  wanted: WantedDefinitions,
): Promise<WantedDefinitions | undefined> {
  await clone.queryBatch('savepoint translate');
  let translated: TableDefinitions | undefined;
  try {
    await dropTables(clone, existing);
    await applyDefinitions(clone, wanted);
    translated = await readTables(clone, await findTables(clone, tables));
  } catch (error) {
    if (!(error instanceof LizsyncError) || (error instanceof DatabaseError && error.isConnectionFailure)) throw error;
  }
  await clone.queryBatch('rollback to savepoint translate; release savepoint translate');
  return translated;
}

async function applyDefinitions(clone: Connection, { preData, postData }: WantedDefinitions): Promise<void> {
  await clone.queryBatch('set local check_function_bodies = off');
  await applySchemaScript(clone, preData, preDataEntryName, true);
  await applySchemaScript(clone, postData, postDataEntryName, true);
}

/** @param packagedFunctions may go with the tables: they come back with them */
async function listDependents(
  clone: Connection,
  tables: string[],
  packagedFunctions: string[],
): Promise<{ functions: string[]; dependents: string[]; dropped: string[] }> {
  const functions = new Set<string>();
  for (;;) {
    const rows = await clone.query<{ dependent: string; object: string; function_name: string | null }>(
      readSqlFile('queries/deploy-list-dependents.sql'),
      [tables, [...functions]],
    );
    const known = rows.flatMap(({ function_name }) =>
      function_name !== null && packagedFunctions.includes(function_name) ? [function_name] : [],
    );
    if (known.length > 0) {
      for (const name of known) functions.add(name);
      continue;
    }
    const dropped = await clone.query<{ name: string }>(readSqlFile('queries/deploy-list-cascade.sql'), [
      tables,
      [...functions],
    ]);
    return {
      functions: [...functions],
      dependents: rows.map(({ dependent, object }) => `${dependent} depends on ${object}`),
      dropped: dropped.map(({ name }) => name),
    };
  }
}
