create or replace function lizsync.partition_tree(p_relation regclass)
returns table (relation regclass, is_leaf boolean)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select p.relid, p.isleaf
    from pg_partition_tree(p_relation) as p
    union all
    -- for pg_partition_tree a table without partitions is no tree
    select c.oid::regclass, true
    from pg_class as c
    where c.oid = p_relation and c.relkind <> 'p' and not c.relispartition
$function$;

comment on function lizsync.partition_tree(regclass) is
    'A table and its partitions on all levels; leaves are those that hold rows: the table itself when it has no partitions.';
