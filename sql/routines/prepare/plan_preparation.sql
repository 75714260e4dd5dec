create or replace function lizsync.plan_preparation(
    p_schemas text[],
    p_tables text[],
    p_excluded_columns text[] default '{}'
)
returns table (
    schema_name text,
    table_name text,
    uid_status text,
    triggers_status text,
    excluded_columns text[],
    problem text,
    remedy text
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- p_tables: array[['schema', 'table'], ...]; p_excluded_columns: array[['schema', 'table', 'column'], ...].
with found as materialized (
    select f.schema_name, f.table_name, f.relation, f.problem, f.remedy
    from lizsync.find_relations(p_schemas, p_tables) as f
), exclusions as (
    select p_excluded_columns[i][1] as schema_name, p_excluded_columns[i][2] as table_name,
        array_agg(distinct p_excluded_columns[i][3]) as columns
    from generate_subscripts(p_excluded_columns, 1) as i
    group by 1, 2
), planned as (
    select f.schema_name, f.table_name, f.relation, f.problem, f.remedy, r.relation_id, r.excluded_columns,
        array(
            select unnest(e.columns) except select unnest(r.excluded_columns) order by 1
        ) as newly_excluded
    from found as f
    left join exclusions as e on e.schema_name = f.schema_name and e.table_name = f.table_name
    left join audit.logged_relations as r on r.schema_name = f.schema_name and r.table_name = f.table_name
), everything as (
    select
        p.schema_name,
        p.table_name,
        case when p.relation is not null then lizsync.uid_status(p.relation) end as uid_status,
        case
            when p.relation is null then null
            when p.relation_id is not null
                and p.newly_excluded = '{}'
                and not exists (
                    select
                    from lizsync.partition_tree(p.relation) as part
                    where not exists (
                        select
                        from pg_trigger as t
                        where t.tgrelid = part.relation
                          and t.tgname like 'lizsync\_audit\_%'
                          and t.tgenabled = 'A'
                          -- not those of rows, which a new partition gets from its root
                          and t.tgparentid = 0
                    )
                ) then 'present'
            else 'missing'
        end as triggers_status,
        coalesce(p.excluded_columns, '{}') || p.newly_excluded as excluded_columns,
        coalesce(p.problem, c.problem) as problem,
        coalesce(p.remedy, c.remedy) as remedy
    from planned as p
    left join lateral lizsync.check_relation(p.relation, p.newly_excluded) as c on p.relation is not null
    union all
    select e.schema_name, e.table_name, null, null, e.columns,
        'columns are to be excluded, but the table is not among those to prepare',
        format('name it too: --tables %I.%I', e.schema_name, e.table_name)
    from exclusions as e
    where not exists (
        select from found as f where f.schema_name = e.schema_name and f.table_name = e.table_name
    )
)
select e.schema_name, e.table_name, e.uid_status, e.triggers_status, e.excluded_columns, e.problem, e.remedy
from everything as e
order by e.schema_name collate "C", e.table_name collate "C" nulls first, e.problem collate "C"
$function$;

comment on function lizsync.plan_preparation(text[], text[], text[]) is
    'What lizsync.prepare_relation would do to which tables, by name. Changes nothing. With a problem: it would refuse.';
