-- Columns of the table $1.$2 that both sides have; $3 are those of the central. An error when they are not the same.
select lizsync.check_compared_columns($1::text, $2::text, $3::text[]) as columns
