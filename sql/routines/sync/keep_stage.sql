create or replace procedure lizsync.keep_stage(
    p_sync_id uuid,
    p_sender_id uuid,
    p_from pg_snapshot,
    p_ahead jsonb,
    p_tables jsonb,
    p_to pg_snapshot,
    p_resumed_sync_id uuid
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $procedure$
-- When the link is not at p_from any more, lizsync.continue_stage says so.
begin
    perform lizsync.check_peer(p_sender_id);
    perform lizsync.await_link(p_sender_id);
    perform lizsync.drop_stages(array(
        select s.sync_id from lizsync.stages as s
        where s.peer_id = p_sender_id and s.sync_id is distinct from p_resumed_sync_id
    ));
    insert into lizsync.stages (sync_id, peer_id, from_position, ahead, tables, to_position)
    select p_sync_id, l.peer_id, l.position, p_ahead, p_tables, p_to
    from lizsync.links as l
    where l.peer_id = p_sender_id and l.position::text = p_from::text;
end
$procedure$;

comment on procedure lizsync.keep_stage(uuid, uuid, pg_snapshot, jsonb, jsonb, pg_snapshot, uuid) is
    'Says that a delivery is going to be committed part by part, so that the next sync can go on from what came of it; p_resumed_sync_id: the one that it goes on from itself.';
