create or replace function lizsync.add_held_changes(p_sync_id uuid, p_sender_id uuid, p_tables jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A held row is tried again together with what has arrived for it since: later values replace held ones, a delete or a
-- new insert replaces the row.
begin
    -- The sender takes a change that is held here for one that this server has seen: what this server changed later has
    -- overwritten it there without a conflict. It is recorded before what came after that takes its place.
    insert into pg_temp.lizsync_found_conflicts (
        schema_name, table_name, uid, kind, winner_server_id, loser_server_id, winner_changed_at, loser_changed_at,
        winning_values, losing_values
    )
    select
        h.schema_name, h.table_name, h.uid, case m.action when 'D' then 'update_delete' else 'update_update' end,
        m.origin_server_id, p.origin_server_id, m.changed_at, p.changed_at,
        @extschema:hstore@.slice(m.new_values, lost.columns), @extschema:hstore@.slice(p.new_values, lost.columns)
    from (
        select
            c.*, r.relation_id, bool_or(s.action in ('I', 'D')) as replaces_row,
            lizsync.merge_values(s.new_values) as arrived_values
        from lizsync.held_changes as c
        join audit.logged_relations as r using (schema_name, table_name)
        join lizsync.staged_changes as s
            on s.sync_id = p_sync_id and s.batch = 0
            and s.schema_name = c.schema_name and s.table_name = c.table_name and s.uid = c.uid
        where c.peer_id = p_sender_id and lizsync.names_table(p_tables, c.schema_name, c.table_name)
        group by c.held_id, r.relation_id
    ) as h
    join lizsync.held_change_parts as p on p.held_id = h.held_id
    join lateral lizsync.fold_window(h.held_position, '[]', '0', true, p_sender_id) as m
        on m.relation_id = h.relation_id and m.uid = h.uid and m.received_from is distinct from p_sender_id
    cross join lateral (
        select array_agg(v.key) as columns
        from @extschema:hstore@.each(p.new_values) as v
        where (h.replaces_row or @extschema:hstore@.exist(h.arrived_values, v.key))
          and (m.action = 'D' or (@extschema:hstore@.exist(m.new_values, v.key)
                                  and (m.new_values operator(@extschema:hstore@.->) v.key) is distinct from v.value))
    ) as lost
    where lost.columns is not null;

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
      and lizsync.names_table(p_tables, h.schema_name, h.table_name)
      and arrived.replaces_row is not true
      and (p.action <> 'U' or p.new_values operator(@extschema:hstore@.-) coalesce(arrived.columns, '{}')
                              operator(@extschema:hstore@.<>) '');
end
$function$;

comment on function lizsync.add_held_changes(uuid, uuid, jsonb) is 'Stages the held changes of a sender (p_tables null: of all tables) again, merged with what it has sent now.';
