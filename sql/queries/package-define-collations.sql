-- Statements that create the collations $1. The columns with the locale have other names in other versions of PostgreSQL.
select
    'pg_collation' as catalog,
    c.oid as oid,
    format(
        'create collation %I.%I (provider = %s, deterministic = %s%s%s);',
        n.nspname, c.collname,
        case c.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end,
        case when c.collisdeterministic then 'true' else 'false' end,
        case
            when locale.name is not null then format(', locale = %L', locale.name)
            when c.collcollate = c.collctype then format(', locale = %L', c.collcollate)
            else format(', lc_collate = %L, lc_ctype = %L', c.collcollate, c.collctype)
        end,
        ', rules = ' || quote_literal(to_jsonb(c) ->> 'collicurules')
    ) as statement
from pg_catalog.pg_collation as c
join pg_catalog.pg_namespace as n on n.oid = c.collnamespace
cross join lateral (
    select coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale') as name
) as locale
where c.oid = any ($1::oid[])
