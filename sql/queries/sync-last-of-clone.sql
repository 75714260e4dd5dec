-- the last sync of a clone, as its history has it
select
    h.sync_id,
    h.held,
    (extract(epoch from h.clock_offset) * 1000)::integer as clock_offset_ms
from lizsync.links as l
join lizsync.history as h on h.peer_id = l.peer_id and h.sync_id = l.last_sync_id
