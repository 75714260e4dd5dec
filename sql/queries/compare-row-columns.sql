-- Checksums of each of the columns $3 of the rows $4 of the table $1.$2.
select uid, checksums from lizsync.column_checksums($1::text, $2::text, $3::text[], $4::uuid[])
