create or replace function lizsync.outgoing_parts(
    p_receiver_id uuid,
    p_position pg_snapshot,
    p_ahead jsonb,
    p_tables jsonb,
    p_clock_shift interval,
    p_seen pg_snapshot
)
returns table (
    schema_name text,
    table_name text,
    uid uuid,
    action "char",
    origin_server_id uuid,
    changed_at timestamp with time zone,
    corrected_at timestamp with time zone,
    new_values @extschema:hstore@.hstore,
    event_id bigint,
    is_outgoing boolean,
    is_seen boolean
)
language sql
stable
as $function$
-- What the receiver was the last to write is left out of the folded result, never of the single events: a change that
-- lost against the receiver's disappears with it.
select
    r.schema_name, r.table_name, f.uid, f.action,
    nullif(f.origin_server_id, (select lizsync.server_id())),
    f.changed_at,
    case when f.corrected_at <> f.changed_at then f.corrected_at end,
    case when (select lizsync.limiting_encoding(p_receiver_id)) is null then f.new_values
         else lizsync.check_characters(
             f.new_values, p_receiver_id, (select lizsync.limiting_encoding(p_receiver_id)), r.schema_name, r.table_name, f.uid)
    end,
    f.event_id,
    f.received_from is distinct from p_receiver_id
        or (f.row_action is not distinct from 'I' and f.row_received_from is distinct from p_receiver_id),
    f.is_seen
from lizsync.fold_window(p_position, p_ahead, p_clock_shift, false, p_receiver_id, p_seen) as f
join audit.logged_relations as r on r.relation_id = f.relation_id
join lizsync.link_relations as l
    on l.peer_id = p_receiver_id and l.schema_name = r.schema_name and l.table_name = r.table_name
where (select lizsync.check_peer(p_receiver_id))
  and (select lizsync.check_logged_values(p_receiver_id, p_position, p_ahead, p_tables))
  and lizsync.names_table(p_tables, r.schema_name, r.table_name)
$function$;

comment on function lizsync.outgoing_parts(uuid, pg_snapshot, jsonb, jsonb, interval, pg_snapshot) is
    'What lizsync.outgoing_changes and lizsync.resumed_changes choose from: the net changes of the window, whether they are to be delivered, and '
    'whether p_seen has all (true), some (false) or none (null) of the events of their row.';
