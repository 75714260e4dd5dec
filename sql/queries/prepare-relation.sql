-- Prepares a table. $1 schema, $2 table, $3 columns to exclude.
select uid_status, triggers_status, excluded_columns
from lizsync.prepare_relation($1::text, $2::text, $3::text[]);
