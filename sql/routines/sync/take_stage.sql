create or replace function lizsync.take_stage(p_sender_id uuid, p_sync_id uuid, p_resumed_sync_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_digest numeric;
begin
    if p_resumed_sync_id is not null then
        select (p.new_values operator(@extschema:hstore@.->) 'digest')::numeric into v_digest
        from lizsync.staged_changes as p
        where p.sync_id = p_sync_id and p.action = 'C';
        if not exists (select from lizsync.stages as s where s.sync_id = p_resumed_sync_id and s.peer_id = p_sender_id)
           or lizsync.merge_stage(p_resumed_sync_id, p_sync_id) is distinct from v_digest then
            raise exception using
                errcode = 'LZ005',
                message = 'what is left here of a sync that broke off is not what the other server sent',
                hint = 'Nothing was lost. Synchronise again with --no-resume.';
        end if;
    end if;
    delete from lizsync.stages as s where s.sync_id = p_sync_id;
    perform lizsync.drop_stages(array(select s.sync_id from lizsync.stages as s where s.peer_id = p_sender_id));
end
$function$;

comment on function lizsync.take_stage(uuid, uuid, uuid) is
    'When a delivery is complete, brings it together with the one that it went on from (null: none), and forgets others of the '
    'sender. LZ005: they do not fit, as when the sender''s database is not the same any more.';
