import type { TestDatabase } from './database.js';

/** What a refused or failed deploy must leave as it is. */
export async function describeDatabase(database: TestDatabase): Promise<unknown> {
  const objects = await database.query(`
    select n.nspname, c.relname, c.relkind, c.oid::integer, c.relfilenode::bigint from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^(pg_|information_schema)' order by 1, 2`);
  const rest = await database.query(`
    select 'schema ' || nspname as name from pg_namespace where nspname !~ '^pg_'
    union all select 'extension ' || extname from pg_extension
    union all select 'server ' || srvname from pg_foreign_server
    union all select 'function ' || oid::regprocedure from pg_proc where oid >= 16384 order by 1`);
  const exists = (schema: string, name: string): boolean =>
    objects.some(({ nspname, relname }) => nspname === schema && relname === name);
  const hasTables = exists('test', 'tree') && exists('lizsync', 'links');
  const rows = hasTables
    ? await database.query(
        `select (select array_agg(t::text order by id) from test.tree t) as trees, (select array_agg(l::text) from lizsync.links l) as links`,
      )
    : [];
  return { objects, rest, rows };
}
