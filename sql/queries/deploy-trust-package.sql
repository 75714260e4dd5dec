-- Makes a package known that the user trusts: $1 its id, $2 its snapshot, $3 the checksum of its manifest, $4 and $5
-- schemas and names of its tables, in parallel.
select lizsync.register_package($1::uuid, $2::pg_snapshot, $3::text, $4::text[], $5::text[])
where not exists (
    select from lizsync.packages as p where p.package_id = $1::uuid and p.manifest_sha256 = $3::text
)
