-- The relations that the user may have meant: all of the schemas $1, and those named by $2 (schemas) and $3 (names) in
-- parallel. Partitions belong to their root and are left out; so is what belongs to an extension.
select
    c.oid as oid,
    n.nspname as schema,
    c.relname as name,
    c.relkind as kind,
    c.relpersistence as persistence,
    c.relispartition as is_partition,
    n.nspname = any ($1::text[]) as by_schema,
    exists (
        select from pg_catalog.pg_depend as d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    ) as of_extension,
    exists (
        select from pg_catalog.pg_attribute as a
        where a.attrelid = c.oid and a.attname = 'uid' and a.atttypid = 'uuid'::regtype and a.attnotnull
          and not a.attisdropped
    ) as has_uid,
    coalesce(t.are_there, false) as has_triggers,
    r.relation_id is not null as is_logged,
    r.excluded_columns,
    (
        select array_agg(format('%s, which is %s', leaf.oid::regclass,
            case when leaf.relkind = 'f' then 'a foreign table' else 'unlogged' end) order by leaf.oid)
        from pg_catalog.pg_partition_tree(case when c.relkind = 'p' then c.oid end) as p
        join pg_catalog.pg_class as leaf on leaf.oid = p.relid
        where leaf.relkind = 'f' or leaf.relpersistence = 'u'
    ) as unfit_partitions,
    coalesce(s.rows, 0) as estimated_rows,
    coalesce(s.bytes, 0) as estimated_bytes
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join audit.logged_relations as r on r.schema_name = n.nspname and r.table_name = c.relname
left join lateral (
    -- on every partition too: one that was attached later has none
    select bool_and(
        exists (
            select from pg_catalog.pg_trigger as t
            where t.tgrelid = tree.oid and t.tgname = 'lizsync_audit_insert' and t.tgenabled <> 'D'
        )
    ) as are_there
    from (
        select c.oid where c.relkind = 'r'
        union all
        select p.relid from pg_catalog.pg_partition_tree(c.oid) as p where c.relkind = 'p'
    ) as tree
) as t on true
left join lateral (
    select
        sum(greatest(leaf.reltuples, 0))::double precision as rows,
        sum(pg_catalog.pg_table_size(leaf.oid))::double precision as bytes
    from pg_catalog.pg_class as leaf
    where leaf.oid = c.oid and c.relkind = 'r'
       or c.relkind = 'p' and leaf.oid in (select p.relid from pg_catalog.pg_partition_tree(c.oid) as p where p.isleaf)
) as s on true
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and (
      n.nspname = any ($1::text[]) and not c.relispartition
      or (n.nspname, c.relname) in (select * from unnest($2::text[], $3::text[]))
  )
order by n.nspname collate "C", c.relname collate "C"
