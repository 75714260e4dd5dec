-- What keeps the tables $1 (quoted names) and the functions $2 (quoted names with types) from being dropped, because it
-- depends on them or on something that goes with them, and is none of these itself.
with recursive
dropped (classid, objid) as (
    select 'pg_catalog.pg_class'::regclass::oid, name::regclass::oid from unnest($1::text[]) as name
    union
    select 'pg_catalog.pg_proc'::regclass::oid, to_regprocedure(name)::oid from unnest($2::text[]) as name
    union
    select d.classid, d.objid
    from dropped
    join pg_catalog.pg_depend as d on d.refclassid = dropped.classid and d.refobjid = dropped.objid
    where d.deptype in ('a', 'i', 'P', 'S')
)
select distinct
    pg_catalog.pg_describe_object(coalesce(whole.refclassid, d.classid), coalesce(whole.refobjid, d.objid), 0) as dependent,
    pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0) as object,
    case when d.classid = 'pg_catalog.pg_proc'::regclass then i.identity end as function_name
from dropped
join pg_catalog.pg_depend as d on d.refclassid = dropped.classid and d.refobjid = dropped.objid
-- a view depends on a table through its rule
left join pg_catalog.pg_depend as whole
  on whole.classid = d.classid and whole.objid = d.objid and whole.deptype = 'i'
  and d.classid = 'pg_catalog.pg_rewrite'::regclass
cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, 0) as i
where d.deptype = 'n'
  and (d.classid, d.objid) not in (select o.classid, o.objid from dropped as o where o.objid is not null)
order by 1, 2
