-- Columns among $3 in which the rows $4 of the table $1.$2 differ from the checksums $5 of the other side.
select uid, column_names from lizsync.find_differing_columns($1::text, $2::text, $3::text[], $4::uuid[], $5::bigint[])
