-- The clone as it is now: $1 its id, $2 its name. A database that was copied or restored becomes a server of its own.
update lizsync.server_metadata as m
set server_id = $1::uuid,
    server_name = $2::text,
    system_identifier = control.system_identifier,
    database_oid = d.oid
from pg_catalog.pg_control_system() as control, pg_catalog.pg_database as d
where d.datname = current_catalog
