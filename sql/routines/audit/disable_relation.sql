create or replace function audit.disable_relation(p_schema_name text, p_table_name text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_trigger record;
begin
    for v_trigger in
        select t.tgrelid::regclass as table_oid, t.tgname
        from pg_trigger as t
        where t.tgparentid = 0
          and t.tgname in ('lizsync_audit_mark', 'lizsync_audit_insert', 'lizsync_audit_update', 'lizsync_audit_delete',
                           'lizsync_audit_truncate', 'lizsync_audit_partition', 'lizsync_audit_uid', 'lizsync_audit_range')
          and t.tgrelid in (
              select format('%I.%I', p_schema_name, p_table_name)::regclass
              union
              select p.relid from pg_partition_tree(format('%I.%I', p_schema_name, p_table_name)::regclass) as p
          )
    loop
        execute format('drop trigger %I on %s', v_trigger.tgname, v_trigger.table_oid);
    end loop;
    delete from audit.logged_relations as r
    where r.schema_name = p_schema_name and r.table_name = p_table_name;
end
$function$;

comment on function audit.disable_relation(text, text) is
    'Ends the audit of a table and its partitions. What was logged stays in the log.';
