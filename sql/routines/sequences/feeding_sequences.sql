create or replace function lizsync.feeding_sequences(p_relations regclass[])
returns table (sequence regclass, columns text[], lowest numeric, highest numeric)
language sql
stable
set search_path = pg_catalog, pg_temp
-- names are compared as texts, also with those of another server
set quote_all_identifiers = off
as $function$
    -- as lizsync.partition_tree and lizsync.synchronised_columns say, which would take a millisecond for each table
    with
    fed_column as materialized (
        select
            n.nspname as schema_name, root.relname as table_name,
            a.attrelid as relation, a.attnum, a.attname, a.atttypid
        from pg_class as root
        join pg_namespace as n on n.oid = root.relnamespace
        left join audit.logged_relations as l on l.schema_name = n.nspname and l.table_name = root.relname
        left join lateral pg_partition_tree(root.oid) as tree on root.relkind = 'p'
        join pg_attribute as a on a.attrelid = coalesce(tree.relid, root.oid)
        where root.oid = any (p_relations)
          and a.attnum > 0
          and not a.attisdropped
          and a.attgenerated = ''
          and a.attname <> 'uid'
          and a.attname <> all (coalesce(l.excluded_columns, '{}'))
    ),
    feed as (
        select c.schema_name, c.table_name, c.attname, c.atttypid, d.refobjid as sequence_oid
        from fed_column as c
        join pg_attrdef as e on e.adrelid = c.relation and e.adnum = c.attnum
        join pg_depend as d
            on d.classid = 'pg_attrdef'::regclass and d.objid = e.oid and d.refclassid = 'pg_class'::regclass
        union
        -- of an identity column, or owned by the column
        select c.schema_name, c.table_name, c.attname, c.atttypid, d.objid
        from fed_column as c
        join pg_depend as d
            on d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
            and d.refobjid = c.relation and d.refobjsubid = c.attnum and d.deptype in ('a', 'i')
    )
    select
        s.oid::regclass,
        array_agg(distinct format('%I.%I.%I', f.schema_name, f.table_name, f.attname)),
        -- what the sequence may give, and all of its columns hold
        max(greatest(q.seqmin, limits.lowest)),
        min(least(q.seqmax, limits.highest))
    from feed as f
    join pg_class as s on s.oid = f.sequence_oid and s.relkind = 'S'
    join pg_sequence as q on q.seqrelid = s.oid
    cross join lateral (
        select
            case t.base_type when 'smallint'::regtype then -32768 when 'integer'::regtype then -2147483648 end as lowest,
            case t.base_type when 'smallint'::regtype then 32767 when 'integer'::regtype then 2147483647 end as highest
        from (
            select case when t.typtype = 'd' then lizsync.base_type(t.oid) else t.oid end as base_type
            from pg_type as t where t.oid = f.atttypid
        ) as t
    ) as limits
    group by s.oid
    order by s.oid
$function$;

comment on function lizsync.feeding_sequences(regclass[]) is
    'The sequences from which synchronised columns of these tables, or of their partitions, get their values: by a default, as an '
    'identity, or owned by the column. The columns are named after the root of a partitioned table; lowest and highest are what '
    'the sequence and all the columns can hold.';
