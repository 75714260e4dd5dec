create or replace function lizsync.check_peer(p_peer_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- Who a clone is follows from the role that connects, not from what it says. The functions that call this run with the
-- rights of lizsync's owner; the session's role is the one that logged in.
begin
    if pg_has_role(session_user, (select n.nspowner from pg_namespace as n where n.nspname = 'lizsync'), 'member') then
        return true;
    end if;
    if exists (
        select from lizsync.granted_roles as g
        join pg_roles as r on r.rolname = g.role_name
        where g.peer_id = p_peer_id and pg_has_role(session_user, r.oid, 'member')
    ) then
        return true;
    end if;
    raise exception using
        errcode = 'LZ001',
        message = format('role %I may not synchronise %s', session_user,
            coalesce((select l.peer_name from lizsync.links as l where l.peer_id = p_peer_id), p_peer_id::text)),
        hint = format('The owner of the database can allow it: lizsync grant --%s --role %s%s',
            (select m.server_role from lizsync.server_metadata as m), session_user,
            (select ' --name ' || l.peer_name from lizsync.links as l, lizsync.server_metadata as m
             where l.peer_id = p_peer_id and m.server_role = 'central'));
end
$function$;

comment on function lizsync.check_peer(uuid) is
    'True when the role that logged in may synchronise this link: a member of the owner of lizsync, or of a granted role. Else LZ001.';
