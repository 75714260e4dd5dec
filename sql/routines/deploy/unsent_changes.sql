create or replace function lizsync.unsent_changes(p_position pg_snapshot, p_ahead jsonb)
returns table (change json)
language sql
stable
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO'
set timezone = 'UTC'
as $function$
    select json_build_object(
        'event_id', e.event_id,
        'changed_at', e.changed_at,
        'schema', r.schema_name,
        'table', r.table_name,
        'action', e.action,
        'uid', e.uid,
        'old_values', @extschema:hstore@.hstore_to_json(e.old_values),
        'new_values', @extschema:hstore@.hstore_to_json(e.new_values)
    )
    from audit.logged_actions as e
    left join audit.logged_relations as r on r.relation_id = e.relation_id
    left join jsonb_to_recordset(p_ahead) as t (schema_name text, table_name text, position pg_snapshot)
        on t.schema_name = r.schema_name and t.table_name = r.table_name
    where e.received_from is null
      and (
          p_position is null
          or e.transaction_id >= pg_snapshot_xmin(p_position)
             and not pg_visible_in_snapshot(e.transaction_id, p_position)
             and pg_visible_in_snapshot(e.transaction_id, t.position) is not true
      )
    order by e.event_id
$function$;

comment on function lizsync.unsent_changes(pg_snapshot, jsonb) is
    'Changes made here that a central does not have which got the log up to p_position (of some tables more: p_ahead); null: which got nothing of it.';
