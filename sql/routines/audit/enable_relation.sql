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
    v_unlogged_columns text[];
    v_table record;
    v_trigger record;
begin
    insert into audit.logged_relations as r (schema_name, table_name, excluded_columns)
    values (p_schema_name, p_table_name, p_excluded_columns)
    on conflict (schema_name, table_name) do update set excluded_columns = excluded.excluded_columns
    returning r.relation_id into v_relation_id;

    select array_agg(a.attname::text order by a.attname) into v_unlogged_columns
    from pg_attribute as a
    where a.attrelid = format('%I.%I', p_schema_name, p_table_name)::regclass
      and a.attnum > 0
      and not a.attisdropped
      and (a.attname = 'uid' or a.attgenerated <> '' or a.attname = any (p_excluded_columns));

    -- statement triggers fire for the table that the statement names: the root of a partitioned table or a partition
    for v_table in
        select t.relid as table_oid, t.level, c.relkind
        from pg_class as root
        cross join lateral (
            select root.oid::regclass as relid, 0 as level where root.relkind <> 'p'
            union all
            select p.relid, p.level from pg_partition_tree(root.oid) as p where root.relkind = 'p'
        ) as t
        join pg_class as c on c.oid = t.relid
        where root.oid = format('%I.%I', p_schema_name, p_table_name)::regclass
        order by t.level, t.relid
    loop
        for v_trigger in
            select *
            from (values
                ('lizsync_audit_mark', 'before insert or update or delete on %s for each statement',
                    'audit.mark_statement()', true),
                ('lizsync_audit_insert', 'after insert on %s referencing new table as new_rows for each statement',
                    'audit.log_statement(%s, %L)', true),
                ('lizsync_audit_update',
                    'after update on %s referencing old table as old_rows new table as new_rows for each statement',
                    'audit.log_statement(%s, %L)', true),
                ('lizsync_audit_delete', 'after delete on %s referencing old table as old_rows for each statement',
                    'audit.log_statement(%s, %L)', true),
                ('lizsync_audit_truncate', 'before truncate on %s for each statement',
                    'audit.log_truncate(%s, %L)', true),
                -- a row trigger of the root is made on each partition by PostgreSQL
                ('lizsync_audit_uid', 'after update on %s for each row when (old.uid is distinct from new.uid)',
                    'audit.refuse_uid_change()', v_table.level = 0)
            ) as wanted (trigger_name, event, function_call, wanted_here)
            where wanted.wanted_here
        loop
            execute format(
                'create or replace trigger %I %s execute function %s',
                v_trigger.trigger_name,
                format(v_trigger.event, v_table.table_oid),
                format(v_trigger.function_call, v_relation_id, v_unlogged_columns)
            );
            execute format('alter table %s enable always trigger %I', v_table.table_oid, v_trigger.trigger_name);
        end loop;
    end loop;
    return v_relation_id;
end
$function$;

comment on function audit.enable_relation(text, text, text[]) is
    'Starts, or brings up to date, the audit of a table and its partitions; returns its relation_id. Idempotent.';
