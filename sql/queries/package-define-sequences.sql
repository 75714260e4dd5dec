-- Statements that create the sequences $1. Those of identity columns are made with their table and left out.
select
    'pg_class' as catalog,
    s.oid as oid,
    format(
        'create sequence %I.%I as %s start with %s increment by %s minvalue %s maxvalue %s cache %s %s;',
        n.nspname, s.relname, format_type(q.seqtypid, null), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,
        case when q.seqcycle then 'cycle' else 'no cycle' end
    ) as statement
from pg_catalog.pg_class as s
join pg_catalog.pg_namespace as n on n.oid = s.relnamespace
join pg_catalog.pg_sequence as q on q.seqrelid = s.oid
where s.oid = any ($1::oid[])
  and not exists (
      select from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = s.oid and d.deptype = 'i'
  )
