create or replace function lizsync.find_relations(p_schemas text[], p_tables text[])
returns table (schema_name text, table_name text, relation regclass, problem text, remedy text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- p_tables: pairs of schema and name, as array[['s', 't'], ...].
-- Of a schema: its tables, foreign tables included so that they are refused and not forgotten. Not: views, which hold no
-- rows; tables of extensions; partitions of a table that is found itself.
with wanted_schemas as (
    select distinct s.schema_name, n.oid
    from unnest(p_schemas) as s (schema_name)
    left join pg_namespace as n on n.nspname = s.schema_name
), refused_schemas as (
    select
        s.schema_name,
        case
            when s.schema_name in ('audit', 'lizsync') then 'is the place where lizsync keeps its own tables'
            when s.schema_name ~ '^pg_' or s.schema_name = 'information_schema' then 'is a schema of PostgreSQL'
            when s.oid is null then 'there is no such schema'
            when s.schema_name = 'public' then 'is never taken as a whole'
        end as problem,
        case
            when s.schema_name in ('audit', 'lizsync', 'information_schema') or s.schema_name ~ '^pg_' then
                'its tables can''t be synchronised'
            when s.oid is null then coalesce(
                (
                    select format('did you mean %I? write it with the double quotes', n.nspname)
                    from pg_namespace as n
                    where lower(n.nspname) = lower(s.schema_name)
                    order by n.nspname collate "C"
                    limit 1
                ),
                'check its name'
            )
            when s.schema_name = 'public' then 'name its tables, as in --tables public.parcel'
        end as remedy
    from wanted_schemas as s
), of_schemas as (
    select n.nspname::text as schema_name, c.relname::text as table_name, c.oid::regclass as relation
    from refused_schemas as s
    join pg_namespace as n on n.nspname = s.schema_name
    join pg_class as c on c.relnamespace = n.oid
    where s.problem is null
      and c.relkind in ('r', 'p', 'f')
      and not exists (
          select
          from pg_depend as d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
      )
), named as (
    select distinct p_tables[i][1] as schema_name, p_tables[i][2] as table_name
    from generate_subscripts(p_tables, 1) as i
), found as (
    select
        w.schema_name,
        w.table_name,
        c.oid::regclass as relation,
        case
            when n.oid is null then format('there is no schema %I', w.schema_name)
            when c.oid is null then 'there is no such table'
        end as problem,
        case
            when c.oid is null then coalesce(
                (
                    select format('did you mean %I.%I? write it with the double quotes', n2.nspname, c2.relname)
                    from pg_class as c2
                    join pg_namespace as n2 on n2.oid = c2.relnamespace
                    where lower(n2.nspname) = lower(w.schema_name)
                      and lower(c2.relname) = lower(w.table_name)
                      and c2.relkind in ('r', 'p')
                    order by n2.nspname collate "C", c2.relname collate "C"
                    limit 1
                ),
                'check its name'
            )
        end as remedy
    from named as w
    left join pg_namespace as n on n.nspname = w.schema_name
    left join pg_class as c
        on c.relnamespace = n.oid and c.relname = w.table_name and c.relkind in ('r', 'p', 'v', 'm', 'f')
    union
    select o.schema_name, o.table_name, o.relation, null, null
    from of_schemas as o
), everything as (
    select s.schema_name, null as table_name, null::regclass as relation, s.problem, s.remedy
    from refused_schemas as s
    where s.problem is not null
    union all
    select s.schema_name, null, null, 'has no tables', 'check its name'
    from refused_schemas as s
    where s.problem is null and not exists (select from of_schemas as o where o.schema_name = s.schema_name)
    union all
    select f.schema_name, f.table_name, f.relation, f.problem, f.remedy
    from found as f
    where f.problem is not null
       or not exists (
           -- partitions go with their root, unless they were named themselves: then they are refused
           select
           from found as root
           where root.relation = pg_partition_root(f.relation)
             and root.relation <> f.relation
             and not exists (
                 select
                 from named as w
                 where w.schema_name = f.schema_name and w.table_name = f.table_name
             )
       )
)
select e.schema_name, e.table_name, e.relation, e.problem, e.remedy
from everything as e
order by e.schema_name collate "C", e.table_name collate "C" nulls first
$function$;

comment on function lizsync.find_relations(text[], text[]) is
    'Finds the tables of schemas and those that are named, by name; with a problem where there is nothing to take.';
