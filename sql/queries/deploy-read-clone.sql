-- What deploy must know about a database that has lizsync already. link_*: its link to a central; null: it has none.
-- $1 snapshot of the package, $2 and $3 incarnation of its central, $4 the first transaction that the central has not begun.
select
    m.server_id,
    m.server_name,
    m.server_role,
    m.system_identifier = control.system_identifier and m.database_oid = d.oid as is_same_incarnation,
    l.last_sync_id,
    l.peer_id as link_central_id,
    l.peer_name as link_central_name,
    l.position::text as link_position,
    -- everything that the clone has seen must be in the package
    l.position is null
    -- but not what it has seen of a central that was another, or has gone back in time since
    or (l.peer_system_identifier, l.peer_database_oid) is distinct from ($2::bigint, $3::oid)
    or pg_snapshot_xmax(l.position) > $4::xid8
    or pg_snapshot_xmax(l.position) <= pg_snapshot_xmax($1::pg_snapshot)
    and not exists (
        select from pg_snapshot_xip($1::pg_snapshot) as x (in_progress)
        where pg_visible_in_snapshot(x.in_progress, l.position)
    ) as package_is_newer
from lizsync.server_metadata as m
cross join pg_catalog.pg_control_system() as control
join pg_catalog.pg_database as d on d.datname = current_catalog
left join lizsync.links as l on true
