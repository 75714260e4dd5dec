-- What the objects whose catalogs and oids are $1 and $2, in parallel, have in the central that a package does not carry,
-- in words. $3: the packaged tables with their partitions.
with
o as (
    select o.catalog, o.catalog::regclass::oid as classid, o.oid from unnest($1::text[], $2::oid[]) as o (catalog, oid)
),
t as (
    select c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where c.oid = any ($3::oid[])
)
select
    format('the tablespace %I of %s %s', s.spcname, i.type, i.identity) as text
from o
join pg_catalog.pg_class as c on o.catalog = 'pg_class' and c.oid = o.oid
join pg_catalog.pg_tablespace as s on s.oid = c.reltablespace
cross join lateral pg_catalog.pg_identify_object(o.classid, o.oid, 0) as i
union all
select format('index %s, which is not valid', i.identity)
from pg_catalog.pg_index as x
join pg_catalog.pg_class as c on c.oid = x.indexrelid and c.relkind = 'i'
join t on t.oid = x.indrelid
cross join lateral pg_catalog.pg_identify_object('pg_catalog.pg_class'::regclass, x.indexrelid, 0) as i
where not x.indisvalid
union all
select format('that %s %s is unlogged: it is an ordinary one in clones', i.type, i.identity)
from o
join pg_catalog.pg_class as c on o.catalog = 'pg_class' and c.oid = o.oid and c.relpersistence = 'u' and c.relkind = 'S'
cross join lateral pg_catalog.pg_identify_object(o.classid, o.oid, 0) as i
union all
select format('the security label of %s on %s %s', l.provider, i.type, i.identity)
from o
join pg_catalog.pg_seclabel as l on l.classoid = o.classid and l.objoid = o.oid
cross join lateral pg_catalog.pg_identify_object(l.classoid, l.objoid, l.objsubid) as i
union all
select format('publication %I, which has %s', p.pubname, string_agg(distinct t.name, ', ' order by t.name))
from pg_catalog.pg_publication_tables as p
join t on t.nspname = p.schemaname and t.relname = p.tablename
group by p.pubname
union all
select distinct
    format('that constraint %I of %s is not enforced, since its triggers are switched off: it is enforced in clones',
        c.conname, t.name)
from t
join pg_catalog.pg_trigger as g on g.tgrelid = t.oid and g.tgisinternal and g.tgenabled <> 'O'
join pg_catalog.pg_constraint as c on c.oid = g.tgconstraint
where not exists (select from pg_catalog.pg_trigger as p where p.oid = g.tgparentid and p.tgenabled = g.tgenabled)
union all
select format('that %s %s depends on extension %I', i.type, i.identity, e.extname)
from o
join pg_catalog.pg_depend as d on d.classid = o.classid and d.objid = o.oid and d.deptype = 'x'
join pg_catalog.pg_extension as e on e.oid = d.refobjid
cross join lateral pg_catalog.pg_identify_object(o.classid, o.oid, 0) as i
order by text
