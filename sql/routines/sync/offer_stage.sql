create or replace function lizsync.offer_stage(p_sender_id uuid, p_ahead jsonb, p_tables jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A delivery comes in the order of the rows' last events, so what is staged of it is complete up to the last one, of which
-- parts may be missing: it will be sent again. One that went on from another, and broke off too, is worth something when it has come further: by
-- then everything that changed in between has come again.
declare
    v_stage lizsync.stages;
    v_last lizsync.stages;
    v_event_id bigint;
begin
    if not exists (select from lizsync.stages) then
        return null;
    end if;
    -- those of others, which may never come back, would be read by every sync
    perform lizsync.drop_stages(array(
        select s.sync_id
        from lizsync.stages as s
        left join lizsync.links as l on l.peer_id = s.peer_id
        where s.begun_at < clock_timestamp() - interval '30 days'
           or l.retired_at is not null
           or (s.peer_id = p_sender_id
               and (s.from_position::text, s.ahead, s.tables) is distinct from (l.position::text, p_ahead, p_tables))
    ));
    select s.* into v_stage from lizsync.stages as s where s.peer_id = p_sender_id and s.complete_below is not null;
    select s.* into v_last from lizsync.stages as s where s.peer_id = p_sender_id and s.complete_below is null;
    if v_last.sync_id is not null then
        select max(p.event_id) into v_event_id from lizsync.staged_changes as p where p.sync_id = v_last.sync_id;
        if v_event_id is null or v_event_id < v_stage.complete_below then
            perform lizsync.drop_stages(array[v_last.sync_id]);
        else
            if v_stage.sync_id is not null then
                perform lizsync.merge_stage(v_stage.sync_id, v_last.sync_id);
            end if;
            update lizsync.stages as s set complete_below = v_event_id where s.sync_id = v_last.sync_id returning s.* into v_stage;
        end if;
    end if;
    if v_stage.sync_id is null then
        return null;
    end if;
    return jsonb_build_object(
        'sync_id', v_stage.sync_id, 'seen', v_stage.to_position, 'complete_below', v_stage.complete_below::text);
end
$function$;

comment on function lizsync.offer_stage(uuid, jsonb, jsonb) is
    'What is staged of a delivery of p_sender_id that broke off and would begin where the next one does: its sync, and what lizsync.resumed_changes needs; '
    'null: nothing. What is of no use any more is dropped.';
