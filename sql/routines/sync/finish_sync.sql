create or replace function lizsync.finish_sync(p_sync_id uuid, p_clone_id uuid, p_clone_position pg_snapshot, p_pull jsonb)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $function$
    select lizsync.check_peer(p_clone_id);
    select lizsync.commit_durably();

    update lizsync.links as l
    set peer_position = p_clone_position
    where l.peer_id = p_clone_id and l.last_sync_id = p_sync_id;

    update lizsync.history as h
    set finished_at = clock_timestamp(),
        pulled = (p_pull ->> 'rows')::bigint,
        conflicts = h.conflicts + (p_pull ->> 'conflicts')::bigint,
        held = h.held + (p_pull ->> 'held')::bigint
    where h.peer_id = p_clone_id and h.sync_id = p_sync_id and h.finished_at is null;
$function$;

comment on function lizsync.finish_sync(uuid, uuid, pg_snapshot, jsonb) is
    'On the central, notes that the clone has committed the second half of a sync, and what it came to.';
