create or replace function lizsync.add_held_changes(p_sync_id uuid, p_sender_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A held row is tried again together with what has arrived for it since: later values replace held ones, a delete or a
-- new insert replaces the row.
begin
    insert into lizsync.staged_changes (
        sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values
    )
    select
        p_sync_id, h.schema_name, h.table_name, h.uid, p.action, p.origin_server_id, p.changed_at, p.corrected_at,
        p.new_values operator(@extschema:hstore@.-) coalesce(arrived.columns, '{}')
    from lizsync.held_changes as h
    join lizsync.held_change_parts as p on p.held_id = h.held_id
    left join lateral (
        select
            bool_or(s.action in ('I', 'D')) as replaces_row,
            @extschema:hstore@.akeys(lizsync.merge_values(s.new_values)) as columns
        from lizsync.staged_changes as s
        where s.sync_id = p_sync_id and s.batch = 0
          and s.schema_name = h.schema_name and s.table_name = h.table_name and s.uid = h.uid
    ) as arrived on true
    where h.peer_id = p_sender_id
      and arrived.replaces_row is not true
      and (p.action <> 'U' or p.new_values operator(@extschema:hstore@.-) coalesce(arrived.columns, '{}')
                              operator(@extschema:hstore@.<>) '');
end
$function$;

comment on function lizsync.add_held_changes(uuid, uuid) is 'Stages the held changes of a sender again, merged with what it has sent now.';
