-- Tables to compare. $1 names of schemas, $2 and $3 schemas and names of tables; all null: every table of the clone.
select schema_name, table_name from lizsync.compared_relations($1::text[], $2::text[], $3::text[])
