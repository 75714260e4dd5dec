-- The tables $1 and their partitions, parents before children.
select p.relid::oid as oid
from pg_catalog.pg_class as c
cross join lateral (
    select c.oid::regclass as relid, 0 as level where c.relkind = 'r'
    union all
    select t.relid, t.level from pg_catalog.pg_partition_tree(c.oid) as t where c.relkind = 'p'
) as p
where c.oid = any ($1::oid[])
order by p.level, p.relid
