create or replace function lizsync.retry_held_changes(p_peer_id uuid default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- A sync without the other server: nothing new has arrived, so the positions stay where they are.
declare
    v_link record;
    v_half jsonb;
    v_tried bigint := 0;
    v_rows bigint := 0;
    v_conflicts bigint := 0;
    v_held bigint := 0;
begin
    for v_link in
        select l.*, (select count(*) from lizsync.held_changes as h where h.peer_id = l.peer_id) as held
        from lizsync.links as l
        where (p_peer_id is null or l.peer_id = p_peer_id)
          and exists (select from lizsync.held_changes as h where h.peer_id = l.peer_id)
        order by l.peer_id
    loop
        perform lizsync.lock_link(v_link.peer_id);
        v_half := lizsync.apply_changes(
            gen_random_uuid(), v_link.peer_id, v_link.position, null, v_link.peer_position,
            case (select m.server_role from lizsync.server_metadata as m)
                when 'central' then '0'
                else coalesce(- v_link.clock_offset, '0')
            end,
            jsonb_build_object('from_ahead', lizsync.ahead_positions(v_link.peer_id)));
        -- it was no sync
        update lizsync.links as l
        set last_synchronised_at = v_link.last_synchronised_at
        where l.peer_id = v_link.peer_id;
        v_tried := v_tried + v_link.held;
        v_rows := v_rows + (v_half ->> 'rows')::bigint;
        v_conflicts := v_conflicts + (v_half ->> 'conflicts')::bigint;
        v_held := v_held + (v_half ->> 'held')::bigint;
    end loop;
    return jsonb_build_object('tried', v_tried, 'rows', v_rows, 'conflicts', v_conflicts, 'held', v_held);
end
$function$;

comment on function lizsync.retry_held_changes(uuid) is
    'Tries the held changes of a server (null: of all) again: how many were tried, rows changed here, conflicts found, changes '
    'still held. LZ004 when a sync of the link is running.';
