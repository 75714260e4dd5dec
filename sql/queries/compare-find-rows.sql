-- Rows of the table $1.$2 that differ from the central, which has the uids $6 and checksums $7 in the ranges $4 to $5.
select uid, kind
from lizsync.find_differing_rows($1::text, $2::text, $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[])
