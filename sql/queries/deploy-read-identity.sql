-- What the central is told about the clone, within the transaction of deploy.
select
    m.server_id,
    m.server_name,
    m.system_identifier::text as system_identifier,
    m.database_oid,
    lizsync.current_position()::text as position,
    pg_current_xact_id()::text as transaction_id
from lizsync.server_metadata as m
