-- Forgets the deployment $2 of the clone $1, which did not commit it. If the clone has no link, its ranges return.
with withdrawn as (
    delete from lizsync.deployments as d
    where d.clone_id = $1::uuid and d.sync_id = $2::uuid
    returning d.clone_id
)
update lizsync.sequence_ranges as r
set clone_id = null
from withdrawn as w
where r.clone_id = w.clone_id
  and r.confirmed_at is null
  and not exists (select from lizsync.links as l where l.peer_id = w.clone_id)
