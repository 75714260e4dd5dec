-- Whether the package $1 with the manifest checksum $2 was made by this central, and whether the central is still the one
-- with the system identifier $3 and the database oid $4.
select
    m.server_id,
    m.server_name,
    m.system_identifier = $3::bigint and m.database_oid = $4::oid as is_same_incarnation,
    exists (
        select from lizsync.packages as p where p.package_id = $1::uuid and p.manifest_sha256 = $2::text
    ) as is_known,
    exists (
        select from lizsync.packages as p where p.package_id = $1::uuid and p.manifest_sha256 <> $2::text
    ) as is_changed
from lizsync.server_metadata as m
