-- The extensions $1 and those that they require, in the order in which they can be created: their versions and where they
-- are installed.
with recursive
needed (oid, depth) as (
    select e.oid, 0 from pg_catalog.pg_extension as e where e.extname = any ($1::text[])
    union
    select d.refobjid, needed.depth + 1
    from needed
    join pg_catalog.pg_depend as d
      on d.classid = 'pg_catalog.pg_extension'::regclass and d.objid = needed.oid
      and d.refclassid = 'pg_catalog.pg_extension'::regclass
)
select e.extname as name, e.extversion as version, n.nspname as schema
from pg_catalog.pg_extension as e
join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
join needed on needed.oid = e.oid
group by e.oid, n.oid, e.extname, e.extversion, n.nspname
order by max(needed.depth) desc, e.extname collate "C"
