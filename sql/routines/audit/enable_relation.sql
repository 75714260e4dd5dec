create or replace function audit.enable_relation(
    p_schema_name text,
    p_table_name text,
    p_excluded_columns text[] default '{}'
)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- The caller has checked that the table has a proper uid and may be audited (lizsync.plan_preparation).
declare
    v_relation_id integer;
    v_table record;
begin
    insert into audit.logged_relations as r (schema_name, table_name, excluded_columns)
    values (p_schema_name, p_table_name, p_excluded_columns)
    on conflict (schema_name, table_name) do update set excluded_columns = excluded.excluded_columns
    returning r.relation_id into v_relation_id;

    for v_table in
        select t.relid as table_oid
        from pg_class as root
        cross join lateral (
            select root.oid::regclass as relid, 0 as level where root.relkind <> 'p'
            union all
            select p.relid, p.level from pg_partition_tree(root.oid) as p where root.relkind = 'p'
        ) as t
        where root.oid = format('%I.%I', p_schema_name, p_table_name)::regclass
        -- the root first: its row triggers are made on each partition, which then turns them off
        order by t.level, t.relid
    loop
        perform audit.enable_table(v_table.table_oid, v_relation_id);
    end loop;
    return v_relation_id;
end
$function$;

comment on function audit.enable_relation(text, text, text[]) is
    'Starts, or brings up to date, the audit of a table and its partitions; returns its relation_id. Idempotent.';
