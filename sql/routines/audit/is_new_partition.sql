create or replace function audit.is_new_partition(p_partition regclass)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select not exists (
               select from pg_trigger as t
               where t.tgrelid = p_partition and t.tgname = 'lizsync_audit_insert' and t.tgparentid = 0
           )
           or exists (
               select from pg_trigger as t
               join pg_class as c on c.oid = t.tgrelid and c.relkind = 'r'
               where t.tgrelid = p_partition and t.tgname = 'lizsync_audit_partition' and t.tgenabled <> 'D'
           )
$function$;

comment on function audit.is_new_partition(regclass) is
    'Whether a partition was created or attached, perhaps again, since its root got its audit triggers.';
