create or replace function lizsync.confirm_deployment(p_clone_id uuid, p_sync_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- names are compared as texts
set quote_all_identifiers = off
as $function$
-- The id of the deployment in the clone proves that the clone committed it. Everything that the clone had is replaced by
-- the package then, so nothing of its log before clone_position is wanted here.
declare
    v_deployment record;
begin
    delete from lizsync.deployments as d
    where d.clone_id = p_clone_id and d.sync_id = p_sync_id
    returning d.* into v_deployment;
    if not found then
        return;
    end if;

    insert into lizsync.links as l (
        peer_id, peer_name, peer_system_identifier, peer_database_oid, position, peer_position,
        last_sync_id, last_sync_transaction_id
    )
    select
        v_deployment.clone_id, v_deployment.clone_name, v_deployment.clone_system_identifier,
        v_deployment.clone_database_oid, v_deployment.clone_position, p.snapshot,
        v_deployment.sync_id, v_deployment.clone_transaction_id
    from lizsync.packages as p
    where p.package_id = v_deployment.package_id
    on conflict (peer_id) do update
    set peer_name = excluded.peer_name,
        peer_system_identifier = excluded.peer_system_identifier,
        peer_database_oid = excluded.peer_database_oid,
        position = excluded.position,
        peer_position = excluded.peer_position,
        last_sync_id = excluded.last_sync_id,
        last_sync_transaction_id = excluded.last_sync_transaction_id,
        deployed_at = v_deployment.created_at,
        expired_at = null,
        retired_at = null;

    delete from lizsync.link_relations as r where r.peer_id = p_clone_id;
    insert into lizsync.link_relations (peer_id, schema_name, table_name)
    select p_clone_id, l.schema_name, l.table_name
    from audit.logged_relations as l
    join lizsync.packages as p on p.package_id = v_deployment.package_id
    where format('%I.%I', l.schema_name, l.table_name) = any (p.relations);
end
$function$;

comment on function lizsync.confirm_deployment(uuid, uuid) is
    'On the central: makes the deployment p_sync_id, if it is waiting, the link of the clone, or changes the link to it.';
