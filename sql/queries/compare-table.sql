-- Number of rows and checksum of the columns $3 of the table $1.$2.
select row_count, checksum from lizsync.table_checksum($1::text, $2::text, $3::text[])
