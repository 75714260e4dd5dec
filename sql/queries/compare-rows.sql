-- Checksums of the columns $3 of the rows of the table $1.$2 in the ranges with the starts $4 and ends $5.
select uid, checksum from lizsync.row_checksums($1::text, $2::text, $3::text[], $4::uuid[], $5::uuid[])
