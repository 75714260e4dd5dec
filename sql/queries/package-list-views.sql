-- The views and materialized views of the schemas $1 that belong to no extension.
select
    c.oid as oid,
    format('%I.%I', n.nspname, c.relname) as name,
    case c.relkind when 'v' then 'view' else 'materialized view' end as kind
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = any ($1::text[])
  and c.relkind in ('v', 'm')
  and not exists (
      select from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by 2
