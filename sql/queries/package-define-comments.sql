-- Statements that comment on the objects whose catalogs and oids are $1 and $2, in parallel, and on the columns of those
-- that have some. A schema may be there already, with somebody else as its owner: then its comment is not ours to make.
select distinct
    o.catalog,
    o.oid as oid,
    case o.catalog
        when 'pg_namespace' then
            format('do %L;', format('begin %s exception when insufficient_privilege then null; end', c.statement))
        else c.statement
    end as statement
from unnest($1::text[], $2::oid[]) as o (catalog, oid)
join pg_catalog.pg_description as d on d.classoid = o.catalog::regclass and d.objoid = o.oid
cross join lateral pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) as i
cross join lateral (
    select format('comment on %s is %L;',
        case
            when i.type like '% column' then 'column ' || i.identity
            when i.type = 'table constraint' then 'constraint ' || i.identity
            when i.type = 'domain constraint' then
                (
                    select format('constraint %I on domain %s', c.conname, format_type(c.contypid, null))
                    from pg_catalog.pg_constraint as c
                    where c.oid = o.oid
                )
            when i.type = 'statistics object' then 'statistics ' || i.identity
            else format('%s %s', i.type, i.identity)
        end,
        d.description) as statement
) as c
order by statement
