-- Forgets the deployment $2 of the clone $1, which did not commit it.
delete from lizsync.deployments as d
where d.clone_id = $1::uuid and d.sync_id = $2::uuid
