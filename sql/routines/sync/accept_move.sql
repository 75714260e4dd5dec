create or replace function lizsync.accept_move()
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- Positions count in transactions, and only their order matters: they keep their meaning where the count goes on above
-- all that it was, as after pg_upgrade. After a restore into a server that began anew they mean nothing.
declare
    v_before jsonb;
    v_counted xid8;
begin
    select lizsync.incarnation_of(m.system_identifier, m.database_oid)
    into v_before
    from lizsync.server_metadata as m
    for update;
    if v_before = lizsync.incarnation() then
        return false;
    end if;
    select max(c.transaction_id) into v_counted
    from (
        (select a.transaction_id from audit.logged_actions as a order by a.transaction_id desc limit 1)
        union all
        select pg_snapshot_xmax(l.peer_position) from lizsync.links as l
        union all
        select l.last_sync_transaction_id from lizsync.links as l
        cross join lizsync.server_metadata as m where m.server_role = 'clone'
    ) as c;
    if v_counted >= pg_snapshot_xmax(pg_current_snapshot()) then
        raise exception using
            errcode = 'LZ001',
            message = format('database %I was restored into a server that counts transactions anew', current_database()),
            detail = format('Its log goes up to transaction %s, this server is at %s: what the other servers have of it can''t be told.',
                            v_counted, pg_snapshot_xmax(pg_current_snapshot())),
            hint = case (select m.server_role from lizsync.server_metadata as m)
                when 'central' then 'Make new packages of it and deploy them to the clones.'
                else 'Deploy a package to it; with --force, what it did not send is written to a file before.'
            end;
    end if;
    update lizsync.server_metadata as m
    set former_incarnations = m.former_incarnations || v_before,
        system_identifier = (lizsync.incarnation() ->> 'system_identifier')::bigint,
        database_oid = (lizsync.incarnation() ->> 'database_oid')::oid;
    return true;
end
$function$;

comment on function lizsync.accept_move() is
    'Lets a database go on in the place of the one that it was moved from, which is gone; false when it was not moved. LZ001 '
    'where the transactions of this server can''t continue those of the former one.';
