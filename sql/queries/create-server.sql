-- Makes this database a server. $1 server id or null for a new one, $2 name, $3 role. Returns the row that identifies it.
insert into lizsync.server_metadata (server_id, server_name, server_role, system_identifier, database_oid)
select
    coalesce($1::uuid, pg_catalog.gen_random_uuid()),
    $2::text,
    $3::text,
    control.system_identifier,
    d.oid
from pg_catalog.pg_control_system() as control
join pg_catalog.pg_database as d on d.datname = current_catalog
returning server_id, server_name, server_role;
