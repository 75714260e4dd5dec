-- Whether the extensions $1 are here, and where; schema: null when it is not installed.
select
    wanted.name,
    n.nspname as schema,
    exists (select from pg_catalog.pg_available_extensions as a where a.name = wanted.name) as is_available
from unnest($1::text[]) with ordinality as wanted (name, position)
left join pg_catalog.pg_extension as e on e.extname = wanted.name
left join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
order by wanted.position
