create or replace function lizsync.outgoing_changes(
    p_receiver_id uuid,
    p_position pg_snapshot,
    p_ahead jsonb,
    p_tables jsonb,
    p_clock_shift interval
)
returns table (
    schema_name text,
    table_name text,
    uid uuid,
    action "char",
    origin_server_id uuid,
    changed_at text,
    corrected_at text,
    new_values @extschema:hstore@.hstore
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
set timezone = 'UTC'
set row_security = off
set jit = off
as $function$
-- What the receiver was the last to write is left out of the folded result, never of the single events: a change that
-- lost against the receiver's disappears with it.
select
    r.schema_name, r.table_name, f.uid, f.action,
    nullif(f.origin_server_id, (select lizsync.server_id())),
    f.changed_at::text,
    case when f.corrected_at <> f.changed_at then f.corrected_at::text end,
    f.new_values
from lizsync.fold_window(p_position, p_ahead, p_clock_shift, false) as f
join audit.logged_relations as r on r.relation_id = f.relation_id
join lizsync.link_relations as l
    on l.peer_id = p_receiver_id and l.schema_name = r.schema_name and l.table_name = r.table_name
where (select lizsync.check_peer(p_receiver_id))
  and (select lizsync.check_logged_values(p_receiver_id, p_position, p_ahead, p_tables))
  and lizsync.names_table(p_tables, r.schema_name, r.table_name)
  and (
      f.received_from is distinct from p_receiver_id
      or (f.row_action = 'I' and f.row_received_from is distinct from p_receiver_id)
  )
$function$;

comment on function lizsync.outgoing_changes(uuid, pg_snapshot, jsonb, jsonb, interval) is
    'Net changes of this server that the receiver, which has p_position (of some tables more: p_ahead), has not got; p_tables null: of all tables. Times as text, so that they travel '
    'unharmed whatever the settings of the sessions; null: this server made the change, corrected_at is changed_at.';
