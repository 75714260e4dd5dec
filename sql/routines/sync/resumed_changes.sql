create or replace function lizsync.resumed_changes(
    p_receiver_id uuid,
    p_position pg_snapshot,
    p_ahead jsonb,
    p_tables jsonb,
    p_clock_shift interval,
    p_seen pg_snapshot,
    p_complete_below bigint
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
set datestyle = 'ISO, YMD'
set timezone = 'UTC'
set row_security = off
set jit = off
set work_mem = '64MB'
as $function$
-- What happened to a row that p_seen has, the receiver has staged, unless it was to come later in the order. Of all other
-- rows what is staged is replaced by what comes here; X: by nothing. C sums up what must be left then, for lizsync.take_stage.
with parts as materialized (
    select p.*, coalesce(p.is_seen and p.event_id < p_complete_below, false) as is_staged
    from lizsync.outgoing_parts(p_receiver_id, p_position, p_ahead, p_tables, p_clock_shift, p_seen) as p
)
select
    p.schema_name, p.table_name, p.uid, p.action, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values, p.event_id
from parts as p
where p.is_outgoing and not p.is_staged
union all
select p.schema_name, p.table_name, p.uid, 'X', null, min(p.changed_at), null, null, p.event_id
from parts as p
where p.is_seen is not null and not p.is_staged
group by p.schema_name, p.table_name, p.uid, p.event_id
having not bool_or(p.is_outgoing)
union all
select
    '', '', p_receiver_id, 'C', null, clock_timestamp(), null,
    @extschema:hstore@.hstore('digest', coalesce(sum(
        lizsync.digest_part(p.schema_name, p.table_name, p.uid, p.action, p.changed_at, p.new_values, p.event_id)
    ), 0)::text),
    null
from parts as p
where p.is_outgoing and p.is_staged
order by event_id nulls first
$function$;

comment on function lizsync.resumed_changes(uuid, pg_snapshot, jsonb, jsonb, interval, pg_snapshot, bigint) is
    'lizsync.outgoing_changes for a receiver that has a part of an earlier delivery: one that had the position p_seen, and of which all rows with a last '
    'event below p_complete_below have arrived.';
