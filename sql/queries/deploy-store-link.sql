-- Makes the database a clone: its link to the central, which has the package's snapshot of the central's log.
-- $1 central's id, $2 its name, $3 its system identifier, $4 its database's oid, $5 snapshot, $6 sync id,
-- $7 and $8 schemas and names of the tables, in parallel.
with
link as (
    insert into lizsync.links as l (
        peer_id, peer_name, peer_system_identifier, peer_database_oid, position, peer_position, last_sync_id,
        last_sync_transaction_id
    )
    select $1::uuid, $2::text, $3::bigint, $4::oid, $5::pg_snapshot, lizsync.current_position(), $6::uuid,
           pg_current_xact_id()
    on conflict (peer_id) do update
    set peer_name = excluded.peer_name,
        peer_system_identifier = excluded.peer_system_identifier,
        peer_database_oid = excluded.peer_database_oid,
        position = excluded.position,
        peer_position = excluded.peer_position,
        last_sync_id = excluded.last_sync_id,
        last_sync_transaction_id = excluded.last_sync_transaction_id,
        pending_sync_id = null,
        clock_offset = null,
        last_synchronised_at = null,
        retired_at = null
    returning peer_id
),
-- what was held belonged to rows that the package has replaced
not_held as (
    delete from lizsync.held_changes
),
no_longer as (
    delete from lizsync.link_relations as r
    where (r.schema_name, r.table_name) not in (select * from unnest($7::text[], $8::text[]))
)
insert into lizsync.link_relations (peer_id, schema_name, table_name)
select link.peer_id, t.schema_name, t.table_name
from link
cross join unnest($7::text[], $8::text[]) as t (schema_name, table_name)
on conflict (peer_id, schema_name, table_name) do update set position = null
