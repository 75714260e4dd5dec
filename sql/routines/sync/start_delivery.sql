create or replace function lizsync.start_delivery(p_sync_id uuid, p_receiver_id uuid, p_from pg_snapshot)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- To be called in the repeatable read transaction that then reads lizsync.outgoing_changes: window and position come
-- from one snapshot. (lizsync.synchronize, which runs in a caller's read committed transaction, does it in one statement.)
begin
    perform lizsync.await_link(p_receiver_id);
    if (select m.server_role from lizsync.server_metadata as m) = 'clone'
       and p_sync_id is distinct from (select l.pending_sync_id from lizsync.links as l where l.peer_id = p_receiver_id) then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link has begun in the meantime',
            hint = 'Wait until it has finished.';
    end if;
    return jsonb_build_object(
        'position', lizsync.current_position(),
        'has_changes', lizsync.has_events(p_from)
    );
end
$function$;

comment on function lizsync.start_delivery(uuid, uuid, pg_snapshot) is
    'The position of a delivery to p_receiver_id, which has p_from, and whether there is anything in its window.';
