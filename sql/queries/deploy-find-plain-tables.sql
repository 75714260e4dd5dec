-- Which of the tables $1 (schemas) and $2 (names) hold rows themselves, as a partitioned one does not: numbers from 1.
select t.position::integer
from unnest($1::text[], $2::text[]) with ordinality as t (schema_name, table_name, position)
join pg_catalog.pg_namespace as n on n.nspname = t.schema_name
join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = t.table_name
where c.relkind = 'r'
