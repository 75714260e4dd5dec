-- Statements that give the rights that others than the owners have on the objects whose catalogs and oids are $1 and $2,
-- in parallel, or take those away that everybody has by default. roles: whom a statement names; null: everybody.
with
o as (
    select o.catalog, o.oid, o.position, a.acl, a.owner, a.kind, a.columns,
        case o.catalog
            when 'pg_class' then case a.kind when 's' then 'sequence ' else 'table ' end
            when 'pg_proc' then 'routine '
            when 'pg_type' then 'type '
            else 'schema '
        end || i.identity as name
    from unnest($1::text[], $2::oid[]) with ordinality as o (catalog, oid, position)
    cross join lateral pg_catalog.pg_identify_object(o.catalog::regclass, o.oid, 0) as i
    cross join lateral (
        select c.relacl, c.relowner, case c.relkind when 'S' then 's' else 'r' end, ''
        from pg_catalog.pg_class as c
        where o.catalog = 'pg_class' and c.oid = o.oid and c.relkind in ('r', 'p', 'S')
        union all
        select p.proacl, p.proowner, 'f', '' from pg_catalog.pg_proc as p where o.catalog = 'pg_proc' and p.oid = o.oid
        union all
        select t.typacl, t.typowner, 'T', '' from pg_catalog.pg_type as t where o.catalog = 'pg_type' and t.oid = o.oid
        union all
        select n.nspacl, n.nspowner, 'n', ''
        from pg_catalog.pg_namespace as n
        where o.catalog = 'pg_namespace' and n.oid = o.oid
        union all
        select a.attacl, c.relowner, 'c', format(' (%I)', a.attname)
        from pg_catalog.pg_class as c
        join pg_catalog.pg_attribute as a on a.attrelid = c.oid
        where o.catalog = 'pg_class' and c.oid = o.oid and a.attacl is not null and not a.attisdropped
    ) as a (acl, owner, kind, columns)
    where a.acl is not null
),
granted as (
    select o.*, g.grantee, g.privilege_type, g.is_grantable, g.place
    from o
    cross join lateral aclexplode(o.acl) with ordinality as g (grantor, grantee, privilege_type, is_grantable, place)
    where g.grantee <> o.owner
)
select null::text[] as roles, format('revoke all on %s from public;', o.name) as statement, 0 as step, o.position, '' as columns,
    0::bigint as place
from o
where exists (select from aclexplode(acldefault(o.kind::"char", o.owner)) as d where d.grantee = 0)
  and not exists (select from granted as g where g.catalog = o.catalog and g.oid = o.oid and g.grantee = 0)
union all
select
    case when g.grantee <> 0 then array[g.grantee::regrole::text] end,
    format('grant %s on %s to %s%s;',
        string_agg(lower(g.privilege_type) || g.columns, ', ' order by g.privilege_type), g.name,
        case when g.grantee = 0 then 'public' else g.grantee::regrole::text end,
        case when g.is_grantable then ' with grant option' end),
    1, g.position, g.columns, min(g.place)
from granted as g
-- maintain is new in PostgreSQL 17
group by g.catalog, g.oid, g.position, g.name, g.columns, g.grantee, g.is_grantable, g.privilege_type = 'MAINTAIN'
order by step, position, columns, place
