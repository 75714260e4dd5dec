create or replace function lizsync.drop_stages(p_sync_ids uuid[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    delete from lizsync.stages as s where s.sync_id = any (p_sync_ids);
    -- nearly always there is none
    if found then
        delete from lizsync.staged_changes as p where p.sync_id = any (p_sync_ids);
    end if;
end
$function$;

comment on function lizsync.drop_stages(uuid[]) is 'Forgets deliveries that broke off, and what came of them.';
