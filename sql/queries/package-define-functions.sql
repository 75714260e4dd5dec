-- Statements that create the functions and procedures $1, in their own words. Null: of a kind that can't be carried:
-- aggregates, and functions in C, whose library the clone may not have.
select
    'pg_proc' as catalog,
    p.oid as oid,
    case when p.prokind <> 'a' and l.lanname not in ('c', 'internal') then
        rtrim(pg_get_functiondef(p.oid), E'\n') || ';'
    end as statement
from pg_catalog.pg_proc as p
join pg_catalog.pg_language as l on l.oid = p.prolang
where p.oid = any ($1::oid[])
