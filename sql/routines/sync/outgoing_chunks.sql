create or replace function lizsync.outgoing_chunks(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval)
returns table (current_position pg_snapshot, rows text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
set timezone = 'UTC'
as $function$
-- One statement, so that window and position come from one snapshot. At most 1,000 rows or some megabytes a chunk.
with changes as (
    select
        c.*,
        row_number() over () / 1000 as by_rows,
        sum(coalesce(octet_length(c.new_values::text), 0)) over (rows unbounded preceding) / 4000000 as by_bytes
    -- most syncs have nothing to send
    from (select where lizsync.has_events(p_position, p_receiver_id, false)) as something
    cross join lizsync.outgoing_changes(p_receiver_id, p_position, p_ahead, p_tables, p_clock_shift) as c
), chunks as (
    select
        format(
            '%L::text[], %L::text[], %L::uuid[], %L::"char"[], %L::uuid[], %L::timestamptz[], %L::timestamptz[], ',
            array_agg(c.schema_name), array_agg(c.table_name), array_agg(c.uid), array_agg(c.action),
            array_agg(c.origin_server_id), array_agg(c.changed_at), array_agg(c.corrected_at)
        ) || format('%L::text[]', array_agg(c.new_values::text)) as rows
    from changes as c
    group by c.by_rows, c.by_bytes
)
select lizsync.current_position(), c.rows
from (select) as always
left join chunks as c on true
$function$;

comment on function lizsync.outgoing_chunks(uuid, pg_snapshot, jsonb, jsonb, interval) is
    'lizsync.outgoing_changes as arguments of lizsync.stage_changes, in chunks, each with the position of the delivery; one row without rows when there are none.';
