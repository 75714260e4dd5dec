-- Foreign keys of the tables $1 (with their partitions) that refer to other tables.
select
    format('%I.%I', n.nspname, c.relname) as table_name,
    k.conname as constraint_name,
    format('%I.%I', fn.nspname, f.relname) as referenced_table
from pg_catalog.pg_constraint as k
join pg_catalog.pg_class as c on c.oid = k.conrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_class as f on f.oid = k.confrelid
join pg_catalog.pg_namespace as fn on fn.oid = f.relnamespace
where k.contype = 'f'
  and k.conparentid = 0
  and k.conrelid = any ($1::oid[])
  and k.confrelid <> all ($1::oid[])
order by 1, 2
