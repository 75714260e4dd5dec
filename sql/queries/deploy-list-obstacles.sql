-- Relations of the names $1 (schemas) and $2 (names), in parallel, that exist already, and whether they are tables that
-- an earlier deploy made.
select
    c.oid,
    n.nspname as schema,
    c.relname as table_name,
    format('%I.%I', n.nspname, c.relname) as name,
    c.relkind in ('r', 'p') as is_table,
    c.relkind = 'p' as is_partitioned,
    exists (
        select from lizsync.link_relations as r where r.schema_name = n.nspname and r.table_name = c.relname
    ) as is_deployed
from unnest($1::text[], $2::text[]) with ordinality as wanted (schema_name, table_name, position)
join pg_catalog.pg_namespace as n on n.nspname = wanted.schema_name
join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = wanted.table_name
order by wanted.position
