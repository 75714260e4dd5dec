-- What prepare-central would do. $1 schemas, $2 pairs of schema and table, $3 triples of schema, table and column.
select schema_name, table_name, uid_status, triggers_status, excluded_columns, problem, remedy
from lizsync.plan_preparation($1::text[], $2::text[], $3::text[]);
