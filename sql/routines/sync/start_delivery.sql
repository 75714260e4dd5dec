create or replace function lizsync.start_delivery(p_sync_id uuid, p_receiver_id uuid, p_from pg_snapshot)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- To be called in the repeatable read transaction that then reads lizsync.outgoing_changes: window and position come
-- from one snapshot. (lizsync.synchronize, which runs in a caller's read committed transaction, does it in one statement.)
-- What is large is committed part by part at the receiver.
declare
    v_clone_name text;
    v_has_changes boolean;
begin
    perform lizsync.await_link(p_receiver_id);
    select l.peer_name into v_clone_name
    from lizsync.links as l
    cross join lizsync.server_metadata as m
    where l.peer_id = p_receiver_id
      and m.server_role = 'central'
      and (l.expired_at is not null or pg_snapshot_xmin(p_from) < m.pruned_before);
    if found then
        raise exception using
            errcode = 'LZ001',
            message = format('the clone %s was away for too long: the central no longer keeps what it has not received', v_clone_name),
            detail = 'The changes of the clone have been sent.',
            hint = 'Make a new package of the central (lizsync package) and deploy it to the clone.';
    end if;
    if (select m.server_role from lizsync.server_metadata as m) = 'clone'
       and p_sync_id is distinct from (select l.pending_sync_id from lizsync.links as l where l.peer_id = p_receiver_id) then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link has begun in the meantime',
            hint = 'Wait until it has finished.';
    end if;
    perform lizsync.await_flush();
    v_has_changes := lizsync.has_events(p_from, p_receiver_id, false);
    return jsonb_build_object(
        'position', lizsync.current_position(),
        'has_changes', v_has_changes,
        'is_large', v_has_changes and lizsync.has_many_events(p_from)
    );
end
$function$;

comment on function lizsync.start_delivery(uuid, uuid, pg_snapshot) is
    'The position of a delivery to p_receiver_id, which has p_from, whether its window has anything for it, and whether it is large. '
    'LZ001: a central that no longer has all of it; the other half of the sync, the changes of the clone, is done then.';
