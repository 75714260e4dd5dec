create or replace function lizsync.adopt_incarnation()
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- From here on this database counts in its own transactions. Its links counted in those of the one it was copied from, so
-- their clones need new packages. Events with ids that this server has not given out yet would come up again one day: all
-- that there is now belongs to the past.
begin
    update lizsync.server_metadata as m
    set system_identifier = (lizsync.incarnation() ->> 'system_identifier')::bigint,
        database_oid = (lizsync.incarnation() ->> 'database_oid')::oid,
        pruned_before = null
    where lizsync.incarnation() <> lizsync.incarnation_of(m.system_identifier, m.database_oid);
    if not found then
        return false;
    end if;
    update lizsync.links as l set retired_at = clock_timestamp() where l.retired_at is null;
    update audit.logged_actions as a
    set transaction_id = '3'
    where a.transaction_id >= pg_snapshot_xmin(pg_current_snapshot());
    return true;
end
$function$;

comment on function lizsync.adopt_incarnation() is
    'Lets a database that was copied or restored from a dump be a server in its own right; false when it was one already.';
