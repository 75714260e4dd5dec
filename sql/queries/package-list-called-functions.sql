-- Functions that the bodies of the functions $1 seem to call: their names stand there before a parenthesis. What a body
-- in a string really calls nobody knows before it runs.
select distinct called.oid as oid, format('%s', called.oid::regprocedure) as identity
from pg_catalog.pg_proc as caller
join pg_catalog.pg_proc as called
  on called.oid >= 16384
  and strpos(caller.prosrc, called.proname) > 0
  and caller.prosrc ~* (
      '(^|[^\w"])"?' || regexp_replace(called.proname, '([^\w])', '\\\1', 'g') || '"?\s*\('
  )
join pg_catalog.pg_namespace as n on n.oid = called.pronamespace
where caller.oid = any ($1::oid[])
  and called.oid <> caller.oid
  and called.prokind in ('f', 'p', 'w')
  and n.nspname not in ('audit', 'lizsync', 'pg_catalog', 'information_schema')
  and not exists (
      select from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = called.oid and d.deptype in ('e', 'i')
  )
order by 2
