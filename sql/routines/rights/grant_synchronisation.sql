create or replace function lizsync.grant_synchronisation(p_role_name text, p_peer_name text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_peer record;
begin
    if not exists (select from pg_roles as r where r.rolname = p_role_name) then
        raise exception using
            errcode = 'LZ002',
            message = format('role %I does not exist', p_role_name),
            hint = format('Create it: create role %I login password ...', p_role_name);
    end if;
    select l.peer_id, l.peer_name into v_peer
    from lizsync.links as l
    where (p_peer_name is null or l.peer_name = p_peer_name) and l.retired_at is null
    order by l.created_at
    limit 1;
    if not found then
        raise exception using
            errcode = 'LZ002',
            message = coalesce(format('there is no clone named %s', p_peer_name), 'this server has no link yet'),
            detail = (select 'clones: ' || string_agg(l.peer_name, ', ' order by l.peer_name) from lizsync.links as l),
            hint = 'Deploy a package to the clone first.';
    end if;
    if p_peer_name is null and (select count(*) from lizsync.links as l where l.retired_at is null) > 1 then
        raise exception using
            errcode = 'LZ002',
            message = 'this central has several clones: say which one the role may synchronise',
            detail = (select 'clones: ' || string_agg(l.peer_name, ', ' order by l.peer_name) from lizsync.links as l),
            hint = 'Name it with --name.';
    end if;
    insert into lizsync.granted_roles (role_name, peer_id) values (p_role_name, v_peer.peer_id) on conflict do nothing;
    perform lizsync.renew_grants();
    return v_peer.peer_name;
end
$function$;

comment on function lizsync.grant_synchronisation(text, text) is
    'Lets a role synchronise one link (p_peer_name may be null when there is only one) and nothing else; returns the name of the other server.';
