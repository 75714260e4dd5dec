-- Everything that the functions $2 and the tables $1 (with their partitions) are made of: the objects that belong to them
-- (constraints, defaults, indexes, triggers, policies, rules, statistics, sequences) and, from those, whatever pg_depend
-- leads to (schemas, types, functions, collations, ...). An object of an extension stands for its extension: what that
-- depends on is not followed.
with recursive
extension_member as (
    select d.classid, d.objid, e.extname
    from pg_catalog.pg_depend as d
    join pg_catalog.pg_extension as e on e.oid = d.refobjid
    where d.deptype = 'e' and d.refclassid = 'pg_catalog.pg_extension'::regclass
),
edge as (
    select d.classid, d.objid, d.refclassid, d.refobjid
    from pg_catalog.pg_depend as d
    left join pg_catalog.pg_class as s
      on d.classid = 'pg_catalog.pg_class'::regclass and s.oid = d.objid and s.relkind = 'S'
    where d.refobjid >= 16384
      -- x: it goes with an extension, but is none of its objects
      and d.deptype not in ('e', 'x')
      -- the table that owns a sequence is not needed to make the sequence
      and not (s.oid is not null and d.refclassid = 'pg_catalog.pg_class'::regclass)
    union all
    -- the columns of a composite type
    select 'pg_catalog.pg_type'::regclass, t.oid, 'pg_catalog.pg_class'::regclass, t.typrelid
    from pg_catalog.pg_type as t
    where t.typrelid <> 0
    union all
    select 'pg_catalog.pg_type'::regclass, c.contypid, 'pg_catalog.pg_constraint'::regclass, c.oid
    from pg_catalog.pg_constraint as c
    where c.contypid <> 0
    union all
    -- operators and functions of an operator class
    select 'pg_catalog.pg_opclass'::regclass, d.refobjid, d.classid, d.objid
    from pg_catalog.pg_depend as d
    where d.refclassid = 'pg_catalog.pg_opclass'::regclass and d.deptype = 'i'
),
seed (classid, objid) as (
    select 'pg_catalog.pg_class'::regclass::oid, t from unnest($1::oid[]) as t
    union all
    select 'pg_catalog.pg_proc'::regclass, f from unnest($2::oid[]) as f
    union all
    select 'pg_catalog.pg_class'::regclass, i.indexrelid
    from pg_catalog.pg_index as i
    where i.indrelid = any ($1)
    union all
    select 'pg_catalog.pg_constraint'::regclass, c.oid
    from pg_catalog.pg_constraint as c
    where c.conrelid = any ($1)
      and (c.contype <> 'f' or c.conparentid = 0 and c.confrelid = any ($1))
    union all
    select 'pg_catalog.pg_attrdef'::regclass, d.oid
    from pg_catalog.pg_attrdef as d
    where d.adrelid = any ($1)
    union all
    select 'pg_catalog.pg_trigger'::regclass, t.oid
    from pg_catalog.pg_trigger as t
    where t.tgrelid = any ($1) and not t.tgisinternal and t.tgparentid = 0 and t.tgname not like 'lizsync\_audit\_%'
    union all
    select 'pg_catalog.pg_policy'::regclass, p.oid from pg_catalog.pg_policy as p where p.polrelid = any ($1)
    union all
    select 'pg_catalog.pg_rewrite'::regclass, r.oid from pg_catalog.pg_rewrite as r where r.ev_class = any ($1)
    union all
    select 'pg_catalog.pg_statistic_ext'::regclass, s.oid
    from pg_catalog.pg_statistic_ext as s
    where s.stxrelid = any ($1)
    union all
    select 'pg_catalog.pg_class'::regclass, s.oid
    from pg_catalog.pg_depend as d
    join pg_catalog.pg_class as s on s.oid = d.objid and s.relkind = 'S'
    where d.classid = 'pg_catalog.pg_class'::regclass
      and d.refclassid = 'pg_catalog.pg_class'::regclass
      and d.refobjid = any ($1)
      and d.deptype in ('a', 'i')
),
closure as (
    select s.classid, s.objid from seed as s
    union
    select e.refclassid, e.refobjid
    from closure as c
    join edge as e on e.classid = c.classid and e.objid = c.objid
    where not exists (select from extension_member as m where m.classid = c.classid and m.objid = c.objid)
)
select
    c.classid::regclass::text as catalog,
    c.objid as oid,
    i.type,
    i.schema,
    rel_schema.nspname as relation_schema,
    rel.relname as relation_name,
    i.identity,
    rel.relkind,
    m.extname as extension,
    -- what it is part of, and is made with: a domain for its constraint, an element type for its array type, ...
    case
        when t.typelem <> 0 and t.typcategory = 'A' then format('pg_type:%s', t.typelem)
        when t.typtype = 'm' then
            (select format('pg_type:%s', r.rngtypid) from pg_catalog.pg_range as r where r.rngmultitypid = t.oid)
        -- what a view selects
        when view.oid is not null then format('pg_class:%s', view.ev_class)
        when t.typrelid <> 0 and row_class.relkind <> 'c' then format('pg_class:%s', t.typrelid)
        when rel.relkind = 'c' then format('pg_type:%s', rel.reltype)
        when con.contypid <> 0 then format('pg_type:%s', con.contypid)
        when c.classid = 'pg_catalog.pg_attrdef'::regclass then
            (
                select format('pg_class:%s', d.adrelid)
                from pg_catalog.pg_attrdef as d
                join pg_catalog.pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum
                where d.oid = c.objid and a.attgenerated <> ''
            )
        when c.classid = 'pg_catalog.pg_proc'::regclass then
            (
                -- the constructors of a range type
                select format('pg_type:%s', d.refobjid)
                from pg_catalog.pg_depend as d
                where d.classid = c.classid and d.objid = c.objid and d.deptype = 'i'
                  and d.refclassid = 'pg_catalog.pg_type'::regclass
            )
    end as part_of,
    (
        select coalesce(array_agg(distinct format('%s:%s', e.refclassid::regclass, e.refobjid)), '{}')
        from edge as e
        where e.classid = c.classid and e.objid = c.objid
    ) as needs
from closure as c
cross join lateral pg_catalog.pg_identify_object(c.classid, c.objid, 0) as i
left join extension_member as m on m.classid = c.classid and m.objid = c.objid
left join pg_catalog.pg_class as rel on c.classid = 'pg_catalog.pg_class'::regclass and rel.oid = c.objid
left join pg_catalog.pg_namespace as rel_schema on rel_schema.oid = rel.relnamespace
left join pg_catalog.pg_type as t on c.classid = 'pg_catalog.pg_type'::regclass and t.oid = c.objid
left join pg_catalog.pg_rewrite as view
  on c.classid = 'pg_catalog.pg_rewrite'::regclass and view.oid = c.objid and view.rulename = '_RETURN'
left join pg_catalog.pg_class as row_class on row_class.oid = t.typrelid
left join pg_catalog.pg_constraint as con on c.classid = 'pg_catalog.pg_constraint'::regclass and con.oid = c.objid
order by i.type collate "C", i.identity collate "C", c.objid
