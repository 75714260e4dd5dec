-- The synchronised tables of this clone.
select format('%I.%I', n.nspname, c.relname) as name
from lizsync.link_relations as r
join pg_catalog.pg_namespace as n on n.nspname = r.schema_name
join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = r.table_name and c.relkind in ('r', 'p')
order by 1
