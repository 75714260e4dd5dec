create or replace function lizsync.refresh_triggers()
returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_relation record;
begin
    for v_relation in
        select r.schema_name, r.table_name, r.excluded_columns
        from audit.logged_relations as r
        join pg_namespace as n on n.nspname = r.schema_name
        join pg_class as c on c.relnamespace = n.oid and c.relname = r.table_name and c.relkind in ('r', 'p')
        order by r.schema_name collate "C", r.table_name collate "C"
    loop
        perform audit.enable_relation(v_relation.schema_name, v_relation.table_name, v_relation.excluded_columns);
        return next format('%I.%I', v_relation.schema_name, v_relation.table_name);
    end loop;
end
$function$;

comment on function lizsync.refresh_triggers() is
    'Makes the audit triggers of all audited tables as audit.enable_relation wants them now; returns the names of the tables.';
