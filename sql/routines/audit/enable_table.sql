create or replace function audit.enable_table(p_table regclass, p_relation_id integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- Statement triggers fire for the table that the statement names: the root of a partitioned table or a partition. A
-- partition that is created or attached later has none of its own. Until it is adopted (lizsync.adopt_partitions), the row
-- trigger logs it, which PostgreSQL makes on each partition of the root; here, where there are statement triggers, it is off.
declare
    v_is_partition boolean;
    v_is_root boolean;
    v_unlogged_columns text[];
    v_trigger record;
begin
    select c.relispartition, c.relkind = 'p' and not c.relispartition into v_is_partition, v_is_root
    from pg_class as c
    where c.oid = p_table;

    select array_agg(a.attname::text order by a.attname) into v_unlogged_columns
    from audit.logged_relations as r
    join pg_attribute as a on a.attrelid = p_table
    where r.relation_id = p_relation_id
      and a.attnum > 0
      and not a.attisdropped
      and (a.attname = 'uid' or a.attgenerated <> '' or a.attname = any (r.excluded_columns));

    for v_trigger in
        select *
        from (values
            ('lizsync_audit_mark', 'before insert or update or delete on %s for each statement',
                'audit.mark_statement()', true),
            ('lizsync_audit_insert', 'after insert on %s referencing new table as new_rows for each statement',
                'audit.log_statement(%s, %L, %L)', true),
            ('lizsync_audit_update',
                'after update on %s referencing old table as old_rows new table as new_rows for each statement',
                'audit.log_statement(%s, %L, %L)', true),
            ('lizsync_audit_delete', 'after delete on %s referencing old table as old_rows for each statement',
                'audit.log_statement(%s, %L, %L)', true),
            ('lizsync_audit_truncate', 'before truncate on %s for each statement',
                'audit.log_truncate(%s, %L, %L)', true),
            ('lizsync_audit_partition', 'after insert or update or delete on %s for each row',
                'audit.log_partition_row(%s, %L)', v_is_root),
            ('lizsync_audit_uid', 'after update on %s for each row when (old.uid is distinct from new.uid)',
                'audit.refuse_uid_change()', not v_is_partition)
        ) as wanted (trigger_name, event, function_call, wanted_here)
        where wanted.wanted_here
    loop
        execute format(
            'create or replace trigger %I %s execute function %s',
            v_trigger.trigger_name,
            format(v_trigger.event, p_table),
            format(v_trigger.function_call, p_relation_id, v_unlogged_columns,
                   case when v_is_partition then 'partition' else '' end)
        );
        execute format('alter table %s enable always trigger %I', p_table, v_trigger.trigger_name);
    end loop;

    perform lizsync.guard_range(p_table, v_unlogged_columns);

    -- not on partitions that have partitions themselves, where it never fires: those get theirs from it, on or off
    if v_is_partition and exists (
        select from pg_trigger as t
        join pg_class as c on c.oid = t.tgrelid and c.relkind = 'r'
        where t.tgrelid = p_table and t.tgname = 'lizsync_audit_partition' and t.tgenabled <> 'D'
    ) then
        execute format('alter table %s disable trigger lizsync_audit_partition', p_table);
    end if;
end
$function$;

comment on function audit.enable_table(regclass, integer) is
    'Makes the audit triggers of one table: of an audited one, or of a partition that logs under the name of its root.';
