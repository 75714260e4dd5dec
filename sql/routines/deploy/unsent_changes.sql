create or replace function lizsync.unsent_changes(p_position pg_snapshot)
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
    where e.received_from is null
      and (
          p_position is null
          or e.transaction_id >= pg_snapshot_xmin(p_position)
             and not pg_visible_in_snapshot(e.transaction_id, p_position)
      )
    order by e.event_id
$function$;

comment on function lizsync.unsent_changes(pg_snapshot) is
    'Changes made here that a central does not have which got the log up to p_position; null: which got nothing of it.';
