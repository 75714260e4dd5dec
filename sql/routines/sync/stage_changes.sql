create or replace function lizsync.stage_changes(
    p_sync_id uuid,
    p_schema_names text[],
    p_table_names text[],
    p_uids uuid[],
    p_actions "char"[],
    p_origin_server_ids uuid[],
    p_changed_at timestamp with time zone[],
    p_corrected_at timestamp with time zone[],
    p_new_values text[]
)
returns jsonb
language sql
security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
set timezone = 'UTC'
as $function$
    insert into lizsync.staged_changes (
        sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values
    )
    select
        p_sync_id, r.schema_name, r.table_name, r.uid, r.action, r.origin_server_id, r.changed_at, r.corrected_at,
        r.new_values::@extschema:hstore@.hstore
    from unnest(
        p_schema_names, p_table_names, p_uids, p_actions, p_origin_server_ids, p_changed_at, p_corrected_at, p_new_values
    ) as r (schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values);

    select to_jsonb(cardinality(p_uids));
$function$;

comment on function lizsync.stage_changes(uuid, text[], text[], uuid[], "char"[], uuid[], timestamptz[], timestamptz[], text[]) is
    'Stages net changes for lizsync.receive_changes, where COPY into lizsync.staged_changes is not possible; returns how many.';
