create or replace function lizsync.repair_local_child(
    p_child regclass,
    p_ctid tid,
    p_kind text,
    p_values @extschema:hstore@.hstore
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A table that nobody synchronises refers to one that is synchronised: its row is changed as any user would change it,
-- with triggers and further foreign keys.
begin
    perform set_config('session_replication_role', 'origin', true);
    if p_kind = 'foreign_key_cascade' then
        execute format('delete from %s as t where t.ctid = $1', p_child) using p_ctid;
    else
        execute format('update %s as t set %s where t.ctid = $1', p_child,
            (select string_agg(format('%I = %s', v.key, lizsync.value_expression(p_child, v.key, '$2')), ', ')
             from @extschema:hstore@.each(p_values) as v))
        using p_ctid, p_values;
    end if;
    perform set_config('session_replication_role', 'replica', true);
end
$function$;

comment on function lizsync.repair_local_child(regclass, tid, text, @extschema:hstore@.hstore) is
    'Deletes an orphan of a table that is not audited, or sets its key columns to p_values.';
