-- The extensions $1: their versions and where they are installed.
select e.extname as name, e.extversion as version, n.nspname as schema
from pg_catalog.pg_extension as e
join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
where e.extname = any ($1::text[])
order by e.extname collate "C"
