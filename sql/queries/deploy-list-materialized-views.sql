-- The materialized views that read the tables $1 (quoted names), directly or through views.
with recursive reader (oid) as (
    select name::regclass::oid from unnest($1::text[]) as name
    union
    select r.ev_class
    from reader
    join pg_catalog.pg_depend as d
      on d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = reader.oid
      and d.classid = 'pg_catalog.pg_rewrite'::regclass
    join pg_catalog.pg_rewrite as r on r.oid = d.objid
)
select c.oid::regclass::text as name
from reader
join pg_catalog.pg_class as c on c.oid = reader.oid and c.relkind = 'm' and c.relispopulated
order by 1
