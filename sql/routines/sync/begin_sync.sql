create or replace function lizsync.begin_sync(
    p_central_state jsonb,
    p_clock_offset_ms double precision,
    p_uncertainty_ms double precision
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_link lizsync.links;
    v_central_last constant uuid := (p_central_state ->> 'last_sync_id')::uuid;
    v_sync_id constant uuid := gen_random_uuid();
    v_caller constant bigint := pg_current_xact_id()::text::bigint;
    v_transaction_id bigint;
begin
    perform lizsync.commit_durably();
    select l.* into strict v_link from lizsync.links as l
    where l.peer_id = (p_central_state ->> 'server_id')::uuid
    for update;

    if not lizsync.shares_history(
        v_link.peer_id, v_central_last, (p_central_state ->> 'last_sync_transaction_id')::xid8) then
        if (p_central_state ->> 'knows_last_sync_of_clone')::boolean then
            raise exception using
                errcode = 'LZ001',
                message = 'this clone has gone back in time, or it exists twice: the central has synchronised with it since its last sync',
                hint = 'Deploy a package to it; with --new-id if another copy of it is in use.';
        end if;
        raise exception using
            errcode = 'LZ001',
            message = format('the central %s has gone back in time: it does not know the last sync of this clone',
                             p_central_state ->> 'server_name'),
            hint = 'Make a new package of the central and deploy it to the clone.';
    end if;

    update lizsync.links as l
    set last_sync_id = v_central_last, pending_sync_id = v_sync_id, peer_encoding = p_central_state ->> 'encoding'
    where l.peer_id = v_link.peer_id
    returning l.xmin::text::bigint into v_transaction_id;

    -- the row's own transaction, which may be a savepoint of the caller's, in 64 bits: it is no older than the caller's
    v_transaction_id := v_caller + ((v_transaction_id - v_caller) & 4294967295);

    return jsonb_build_object(
        'sync_id', v_sync_id,
        'transaction_id', v_transaction_id::text,
        'sequences', lizsync.sequence_states(),
        -- clocks that may be equal, for all that was measured, count as equal: half a round trip must not decide a conflict
        'clock_offset_ms', case when abs(p_clock_offset_ms) <= p_uncertainty_ms then 0 else p_clock_offset_ms end
    );
end
$function$;

comment on function lizsync.begin_sync(jsonb, double precision, double precision) is
    'On a clone, checks the answer of lizsync.open_sync against the last sync it knows and notes that a sync begins; '
    'returns its id, the transaction that noted it, the state of the sequences, and the clock offset (clone minus central) that counts, out of the measured '
    'one and its uncertainty. The sync counts once that transaction has committed.';
