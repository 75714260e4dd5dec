-- Columns of the table $1.$2; null: there is no such table.
select lizsync.compared_columns($1::text, $2::text) as columns
