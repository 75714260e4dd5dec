-- What goes when the tables $1 (quoted names) and the functions $2 (quoted names with types) are dropped with "cascade",
-- and is neither one of these nor a part of one.
with recursive
dropped (classid, objid, objsubid, is_outside) as (
    select 'pg_catalog.pg_class'::regclass::oid, name::regclass::oid, 0, false from unnest($1::text[]) as name
    union
    select 'pg_catalog.pg_proc'::regclass::oid, name::regprocedure::oid, 0, false from unnest($2::text[]) as name
    union
    select next.classid, next.objid, next.objsubid, next.is_outside
    from dropped
    cross join lateral (
        select d.classid, d.objid, d.objsubid, dropped.is_outside or d.deptype = 'n' as is_outside
        from pg_catalog.pg_depend as d
        where d.refclassid = dropped.classid and d.refobjid = dropped.objid
          and (dropped.objsubid = 0 or d.refobjsubid = dropped.objsubid)
          and d.deptype in ('n', 'a', 'i', 'P', 'S')
        union all
        -- a view goes with its rule
        select d.refclassid, d.refobjid, 0, true
        from pg_catalog.pg_depend as d
        where dropped.is_outside and d.deptype = 'i'
          and d.classid = dropped.classid and d.objid = dropped.objid and dropped.objsubid = 0
    ) as next
),
inside as (
    select d.classid, d.objid from dropped as d where not d.is_outside
),
outside as (
    select distinct d.classid, d.objid, d.objsubid
    from dropped as d
    where d.is_outside and (d.classid, d.objid) not in (select i.classid, i.objid from inside as i)
)
select pg_catalog.pg_describe_object(o.classid, o.objid, o.objsubid) as name
from outside as o
where not exists (
    select
    from pg_catalog.pg_depend as d
    join outside as whole
      on whole.classid = d.refclassid and whole.objid = d.refobjid and whole.objsubid in (0, d.refobjsubid)
    where d.classid = o.classid and d.objid = o.objid and d.objsubid = o.objsubid and d.deptype in ('a', 'i', 'P', 'S')
)
order by 1
