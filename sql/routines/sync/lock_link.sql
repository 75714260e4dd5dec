create or replace function lizsync.lock_link(p_peer_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- The friendly lock, until the end of the transaction; the row lock in lizsync.apply_changes is the fence.
begin
    perform lizsync.check_peer(p_peer_id);
    if not pg_try_advisory_xact_lock(hashtextextended('lizsync link ' || p_peer_id, 0)) then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link is running',
            hint = 'Wait until it has finished.';
    end if;
end
$function$;

comment on function lizsync.lock_link(uuid) is 'Locks a link until the transaction ends, or raises LZ004 at once; LZ001 when the caller may not synchronise it.';
