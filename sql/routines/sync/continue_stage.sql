create or replace procedure lizsync.continue_stage(p_sync_id uuid)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $procedure$
-- The lock of the link ended with the transaction of the part before. Another sync may have begun then, and counts on what
-- it found: nothing is added to that. Or the clone was retired.
begin
    perform set_config('lizsync.sync_id', p_sync_id::text, true);
    perform set_config('statement_timeout', '0', true);
    perform set_config('lock_timeout', '60s', true);
    perform lizsync.check_peer(s.peer_id), lizsync.await_link(s.peer_id)
    from lizsync.stages as s
    where s.sync_id = p_sync_id;
    if not exists (
        select
        from lizsync.stages as s
        join lizsync.links as l on l.peer_id = s.peer_id
        where s.sync_id = p_sync_id and s.complete_below is null and l.retired_at is null
    ) then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link has begun in the meantime, or the link has ended',
            hint = 'Synchronise again when it has finished.';
    end if;
end
$procedure$;

comment on procedure lizsync.continue_stage(uuid) is
    'Begins the transaction of the next part of a delivery that is committed part by part: sets what COPY into lizsync.staged_changes needs, and locks '
    'the link. LZ004 when another sync of it has begun, or it has ended.';
