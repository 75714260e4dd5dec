-- Ends the audit of tables that are not (any more) among $1 (schemas) and $2 (names), and forgets those that are gone.
-- Returns their names.
with ended as (
    select r.schema_name, r.table_name
    from audit.logged_relations as r
    where (r.schema_name, r.table_name) not in (select * from unnest($1::text[], $2::text[]))
)
select format('%I.%I', e.schema_name, e.table_name) as name,
       audit.disable_relation(e.schema_name, e.table_name)
from ended as e
join pg_catalog.pg_namespace as n on n.nspname = e.schema_name
join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = e.table_name
