-- Statements that create the tables $1, bare: columns with types, collations, identities, generation expressions and
-- "not null". A partition is created as a table of its own, with its own order of columns, and attached later.
select
    'pg_class' as catalog,
    c.oid as oid,
    format(
        'create table %I.%I (%s)%s%s%s%s;',
        n.nspname, c.relname, coalesce(columns.list || E'\n', ''),
        (
            select format(E'\ninherits (%s)', string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno))
            from pg_catalog.pg_inherits as i
            where i.inhrelid = c.oid and not c.relispartition
            having count(*) > 0
        ),
        case when c.relkind = 'p' then E'\npartition by ' || pg_get_partkeydef(c.oid) end,
        case when am.amname <> 'heap' then format(E'\nusing %I', am.amname) end,
        (
            select format(E'\nwith (%s)', string_agg(
                format('%s%s=%L', o.prefix, quote_ident(split_part(o.option, '=', 1)),
                    substr(o.option, strpos(o.option, '=') + 1)),
                ', '
            ))
            from (
                select '' as prefix, o.option from unnest(c.reloptions) as o (option)
                union all
                select 'toast.', o.option
                from pg_catalog.pg_class as toast, unnest(toast.reloptions) as o (option)
                where toast.oid = c.reltoastrelid
            ) as o
            having count(*) > 0
        )
    ) as statement
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_am as am on am.oid = c.relam
cross join lateral (
    select string_agg(
        format(
            E'\n    %I %s%s%s%s%s',
            a.attname,
            format_type(a.atttypid, a.atttypmod),
            -- the server keeps the number of dimensions, as a remark
            repeat('[]', a.attndims - 1),
            (
                select format(' collate %I.%I', cn.nspname, co.collname)
                from pg_catalog.pg_collation as co
                join pg_catalog.pg_namespace as cn on cn.oid = co.collnamespace
                where co.oid = a.attcollation and a.attcollation <> t.typcollation
            ),
            case
                -- from PostgreSQL 17 on a partition gets its identity from the root when it is attached
                when a.attidentity <> ''
                    and not (c.relispartition and current_setting('server_version_num')::integer >= 170000) then
                    (
                        select format(
                            ' generated %s as identity (sequence name %I.%I start with %s increment by %s minvalue %s'
                            ' maxvalue %s cache %s %s)',
                            case a.attidentity when 'a' then 'always' else 'by default' end,
                            sn.nspname, s.relname, q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,
                            case when q.seqcycle then 'cycle' else 'no cycle' end
                        )
                        from pg_catalog.pg_depend as d
                        join pg_catalog.pg_sequence as q on q.seqrelid = d.objid
                        join pg_catalog.pg_class as s on s.oid = d.objid
                        join pg_catalog.pg_namespace as sn on sn.oid = s.relnamespace
                        where d.classid = 'pg_catalog.pg_class'::regclass
                          and d.refclassid = 'pg_catalog.pg_class'::regclass
                          and d.refobjid = c.oid and d.refobjsubid = a.attnum and d.deptype = 'i'
                    )
                when a.attgenerated <> '' then
                    format(' generated always as (%s) %s', pg_get_expr(d.adbin, d.adrelid),
                        case a.attgenerated when 's' then 'stored' else 'virtual' end)
            end,
            case
                when not a.attnotnull then null
                when nn.conname is null then ' not null'
                when not nn.convalidated then null
                else format(' constraint %I not null%s', nn.conname, case when nn.connoinherit then ' no inherit' end)
            end
        ),
        ',' order by a.attnum
    ) as list
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_type as t on t.oid = a.atttypid
    left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_catalog.pg_constraint as nn
      on nn.conrelid = a.attrelid and nn.contype = 'n' and nn.conkey = array[a.attnum]
    where a.attrelid = c.oid
      and a.attnum > 0
      and not a.attisdropped
      and (a.attislocal or c.relispartition)
) as columns
where c.oid = any ($1::oid[])
