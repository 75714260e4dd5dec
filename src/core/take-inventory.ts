import type { SectionKind } from '../archive/schema-script.js';
import type { Connection } from '../db/connection.js';
import { readSqlFile } from '../db/sql-file.js';
import { LizsyncError } from '../errors.js';
import { definingQueries, type SharedKind } from './shared-objects.js';

/** A row of sql/queries/package-list-objects.sql; `needs` and `part_of` are keys, such as "pg_type:16411". */
export interface ObjectRow {
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

/** Objects with what they need, and the statements that create them, by the keys of the objects. */
export interface Inventory {
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

/** Views to take along with tables. */
export interface WantedViews {
  oids: number[];
  /** Keys of what the tables alone are made of. */
  ofTables: ReadonlySet<string>;
}

/**
 * Finds everything that the tables are made of. What functions call inside their bodies is not in the catalogs: functions
 * whose names stand there are taken too, unless they need something that can't be carried.
 * @param views are taken too, with what they use, unless they need something that can't be carried
 * @returns `leftOut`: the functions and views that can't be carried, and why; `views`: oids of those that can
 * @throws LizsyncError that names what the tables need and can't be carried
 */
export async function takeInventory(
  connection: Connection,
  tableOids: number[],
  views: WantedViews = { oids: [], ofTables: new Set() },
): Promise<Inventory & { leftOut: string[]; views: number[] }> {
  const called = new Map<number, string>();
  const wanted = new Set(views.oids);
  const leftOut: string[] = [];
  const refused = new Set<number>();
  for (;;) {
    const inventory = await listObjects(connection, tableOids, [...wanted], [...called.keys()]);
    const lost = findLost(inventory, views, wanted);
    if (lost.length > 0) {
      const reasons = new Map<ObjectRow, string[]>();
      for (const object of lost) {
        for (const user of findUsers(inventory.objects, [object])) {
          const isGuilty =
            (user.catalog === 'pg_proc' && called.has(user.oid)) ||
            (user.catalog === 'pg_class' && wanted.has(user.oid));
          if (isGuilty)
            reasons.set(user, [...(reasons.get(user) ?? []), object === user ? 'lizsync' : describe(object)]);
        }
      }
      if (reasons.size === 0) throw describeLost(inventory.objects, lost);
      for (const [object, needed] of reasons) {
        const { catalog, oid } = object;
        const how = catalog === 'pg_proc' ? ', which another seems to call' : '';
        leftOut.push(`${describe(object)}${how}: it needs ${needed.join(', ')}`);
        refused.add(oid);
        called.delete(oid);
        wanted.delete(oid);
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
    if (unknown.length === 0) return { ...inventory, leftOut, views: [...wanted] };
    for (const { oid, identity } of unknown) called.set(oid, identity);
  }
}

/** What can't be carried; views that use what belongs to lizsync, or numbers of sequences, among it. */
function findLost({ objects, statements }: Inventory, views: WantedViews, wanted: Set<number>): ObjectRow[] {
  const keys = new Set(objects.map(keyOf));
  return objects.filter((object) => {
    if (!isCarried(object, statements)) return true;
    if (wanted.size === 0) return false;
    if (isSequence(object)) return object.extension === null && !views.ofTables.has(keyOf(object));
    const isView = object.catalog === 'pg_class' && wanted.has(object.oid);
    const rules = isView ? objects.filter(({ part_of }) => part_of === keyOf(object)) : [];
    return rules.some(({ needs }) => needs.some((key) => !keys.has(key)));
  });
}

async function listObjects(
  connection: Connection,
  tableOids: number[],
  viewOids: number[],
  functionOids: number[],
): Promise<Inventory> {
  const objects = (
    await connection.query<ObjectRow>(readSqlFile('queries/package-list-objects.sql'), [
      [...tableOids, ...viewOids],
      functionOids,
    ])
  ).filter(({ schema, extension }) => extension !== null || schema === null || !ownSchemas.has(schema));
  const statements = new Map<string, string>();
  const define = async (query: string, isWanted: (object: ObjectRow) => boolean): Promise<void> => {
    const oids = objects.filter((object) => object.extension === null && isWanted(object)).map(({ oid }) => oid);
    if (oids.length === 0) return;
    const rows = await connection.query<{ catalog: string; oid: number; statement: string | null }>(
      readSqlFile(query),
      [oids],
    );
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
  await define(definingQueries.view, ({ catalog, oid }) => catalog === 'pg_class' && viewOids.includes(oid));
  return { objects, statements };
}

/** The key of an object in `needs`, `part_of` and the statements. */
export function keyOf({ catalog, oid }: ObjectRow): string {
  return `${catalog}:${oid}`;
}

function describe({ type, identity }: ObjectRow): string {
  return `${type} ${identity}`;
}

/** Whether an object is a sequence, of an identity column or of its own. */
export function isSequence({ catalog, relkind }: ObjectRow): boolean {
  return catalog === 'pg_class' && relkind === 'S';
}

/** What an object that has a statement of its own is, in a script. */
export function kindOf(object: ObjectRow): SectionKind {
  if (object.relkind === 'v' || object.relkind === 'm') return object.relkind === 'v' ? 'view' : 'materialized view';
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
export function sortByNeed(objects: ObjectRow[], statements: Map<string, string>): ObjectRow[] {
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
