-- What a package says about where it comes from. The snapshot is that of the transaction, which every other session can
-- read under by the name that pg_export_snapshot() gives.
select
    current_setting('server_version_num')::integer as server_version,
    pg_current_snapshot()::text as snapshot,
    m.server_id,
    m.server_name,
    m.system_identifier::text as system_identifier,
    m.database_oid
from lizsync.server_metadata as m
