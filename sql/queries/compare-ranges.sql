-- The columns $3 of the table $1.$2 in at most $4 ranges of uids, with their checksums.
select range_start, row_count, checksum from lizsync.range_checksums($1::text, $2::text, $3::text[], $4::integer)
