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
    changed_at timestamp with time zone,
    corrected_at timestamp with time zone,
    new_values @extschema:hstore@.hstore,
    event_id bigint
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
set jit = off
set work_mem = '64MB'
as $function$
select
    p.schema_name, p.table_name, p.uid, p.action, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values, p.event_id
from lizsync.outgoing_parts(p_receiver_id, p_position, p_ahead, p_tables, p_clock_shift, null) as p
where p.is_outgoing
order by p.event_id
$function$;

comment on function lizsync.outgoing_changes(uuid, pg_snapshot, jsonb, jsonb, interval) is
    'Net changes of this server that the receiver, which has p_position (of some tables more: p_ahead), has not got; p_tables null: of all tables. '
    'origin_server_id null: this server made the change; corrected_at null: it is changed_at. In the order of each row''s last event.';
