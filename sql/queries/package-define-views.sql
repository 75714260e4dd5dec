-- Statements that create the views and materialized views $1.
select
    'pg_class' as catalog,
    c.oid as oid,
    format(E'create %s %I.%I%s%s as\n%s%s;',
        case c.relkind when 'v' then 'view' else 'materialized view' end,
        n.nspname, c.relname,
        case when am.amname <> 'heap' then format(' using %I', am.amname) end,
        (
            select format(' with (%s)', string_agg(
                format('%I=%L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', '
            ))
            from unnest(c.reloptions) as o
            having count(*) > 0
        ),
        rtrim(pg_get_viewdef(c.oid), E'; \n'),
        case when c.relkind = 'm' and not c.relispopulated then E'\nwith no data' end
    ) as statement
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_am as am on am.oid = c.relam
where c.oid = any ($1::oid[])
  and c.relkind in ('v', 'm')
