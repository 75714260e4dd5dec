create or replace function lizsync.renew_grants()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- All that a role needs to synchronise, here once: the steps of a sync, and COPY into the staging table. None of the
-- tables. An upgrade, which may have replaced functions, calls this again.
declare
    v_role_name text;
    v_function regprocedure;
begin
    for v_role_name in
        select distinct g.role_name from lizsync.granted_roles as g join pg_roles as r on r.rolname = g.role_name
    loop
        execute format('grant usage on schema lizsync to %I', v_role_name);
        execute format(
            'grant insert (sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values, event_id) '
            'on lizsync.staged_changes to %I', v_role_name);
        for v_function in
            select p.oid
            from pg_proc as p
            where p.pronamespace = 'lizsync'::regnamespace
              and p.proname in (
                  'get_clone_state', 'open_sync', 'describe_columns', 'check_same_structure', 'begin_sync', 'start_delivery',
                  'outgoing_changes', 'resumed_changes', 'values_in_utf8', 'keep_stage', 'continue_stage', 'stage_changes', 'receive_changes',
                  'finish_sync', 'synchronize', 'get_last_sync',
                  'describe_server', 'list_held_changes', 'retry_held_changes', 'discard_held_change'
              )
        loop
            execute format('grant execute on routine %s to %I', v_function, v_role_name);
        end loop;
    end loop;
end
$function$;

comment on function lizsync.renew_grants() is 'Gives the roles in lizsync.granted_roles what they need to synchronise.';
