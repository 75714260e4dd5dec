-- Functions in the schemas of lizsync, without those of extensions. No parameters.
-- version changes whenever a function is created or replaced.
select
    p.oid::pg_catalog.regprocedure::text as signature,
    pg_catalog.concat(p.oid, ' ', p.xmin, ' ', p.ctid) as version,
    p.proacl is null or exists (
        select from pg_catalog.aclexplode(p.proacl) as right_ where right_.grantee = 0
    ) as is_public
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
where n.nspname in ('audit', 'lizsync')
  and not exists (
      select
      from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e'
  )
order by signature;
