-- Audited tables that are not among $1 (schemas) and $2 (names).
select format('%I.%I', n.nspname, c.relname) as name
from audit.logged_relations as r
join pg_catalog.pg_namespace as n on n.nspname = r.schema_name
join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = r.table_name
where (r.schema_name, r.table_name) not in (select * from unnest($1::text[], $2::text[]))
order by 1
