create or replace function lizsync.await_link(p_peer_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A sync takes the lock anew in each of its transactions. In between somebody else may have taken it to begin a sync,
-- who finds the lock of the other server taken and gives up at once. This one waits for that, or both would give up.
begin
    perform pg_advisory_xact_lock(hashtextextended('lizsync link ' || p_peer_id, 0));
end
$function$;

comment on function lizsync.await_link(uuid) is
    'Locks a link until the transaction ends, on behalf of a sync that is under way; waits where lizsync.lock_link raises LZ004.';
