create or replace function lizsync.get_last_sync()
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
    select jsonb_build_object(
        'sync_id', h.sync_id,
        'held', h.held,
        'clock_offset_ms', round(extract(epoch from h.clock_offset) * 1000)
    )
    from lizsync.links as l
    join lizsync.history as h on h.peer_id = l.peer_id and h.sync_id = l.last_sync_id
    where lizsync.check_peer(l.peer_id)
$function$;

comment on function lizsync.get_last_sync() is 'On a clone, what its history says about its last sync.';
