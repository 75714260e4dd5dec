-- How far the central has the log of the clone $1, and when it last synchronised with it.
select
    m.server_id,
    l.position::text as position,
    lizsync.ahead_positions(l.peer_id)::text as ahead,
    l.last_sync_id,
    l.last_sync_transaction_id::text as last_sync_transaction_id
from lizsync.links as l
cross join lizsync.server_metadata as m
where l.peer_id = $1::uuid
