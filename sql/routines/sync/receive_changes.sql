create or replace function lizsync.receive_changes(
    p_sync_id uuid,
    p_sender_id uuid,
    p_from pg_snapshot,
    p_to pg_snapshot,
    p_sender_position pg_snapshot,
    p_details jsonb
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- p_details: transport ('cli' or 'sql'), clock_offset_ms (clock of the clone minus clock of the central), transaction_id
-- and sequences (of lizsync.begin_sync), scope (of lizsync.apply_changes), resumed (the sync that this delivery went on
-- from), and on the clone the result of the first half as "push".
declare
    v_is_central constant boolean := (select m.server_role = 'central' from lizsync.server_metadata as m);
    v_clock_offset constant interval := make_interval(secs => (p_details ->> 'clock_offset_ms')::double precision / 1000);
    v_result jsonb;
begin
    perform lizsync.commit_durably();
    perform lizsync.await_link(p_sender_id);
    perform lizsync.take_stage(p_sender_id, p_sync_id, (p_details ->> 'resumed')::uuid);
    v_result := lizsync.apply_changes(
        p_sync_id, p_sender_id, p_from, p_to, p_sender_position,
        case when v_is_central then '0'::interval else - v_clock_offset end,
        coalesce(p_details -> 'scope', '{}')
    );

    update lizsync.links as l
    set last_sync_id = p_sync_id,
        last_sync_transaction_id = (p_details ->> 'transaction_id')::xid8,
        pending_sync_id = null,
        clock_offset = v_clock_offset
    where l.peer_id = p_sender_id;

    insert into lizsync.history (
        sync_id, peer_id, transport, finished_at, pushed, pulled, conflicts, held, clock_offset
    )
    values (
        p_sync_id, p_sender_id, p_details ->> 'transport',
        case when not v_is_central then clock_timestamp() end,
        case when v_is_central then (v_result ->> 'rows')::bigint else (p_details #>> '{push,rows}')::bigint end,
        case when not v_is_central then (v_result ->> 'rows')::bigint end,
        (v_result ->> 'conflicts')::bigint + coalesce((p_details #>> '{push,conflicts}')::bigint, 0),
        (v_result ->> 'held')::bigint + coalesce((p_details #>> '{push,held}')::bigint, 0),
        v_clock_offset
    );
    if v_is_central then
        v_result := v_result || jsonb_build_object('ranges', lizsync.check_ranges(p_sender_id, p_details -> 'sequences'));
    else
        perform lizsync.set_ranges(p_details #> '{push,ranges}');
        perform lizsync.prune_clone(50000);
    end if;
    return v_result;
end
$function$;

comment on function lizsync.receive_changes(uuid, uuid, pg_snapshot, pg_snapshot, pg_snapshot, jsonb) is
    'One half of a sync at its receiver: applies what is staged, moves the position, writes the history. Returns what '
    'lizsync.apply_changes does, and on the central the ranges of sequences that the clone gets, which it sets with the other half.';
