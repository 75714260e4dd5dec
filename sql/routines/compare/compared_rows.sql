create or replace function lizsync.compared_rows(p_schema_name text, p_table_name text)
returns text
language sql
stable
strict
set search_path = pg_catalog, pg_temp
as $function$
    -- the rows of child tables belong to those, except for a partitioned table, which has none of its own
    select format('%s %I.%I as t', case c.relkind when 'p' then '' else 'only' end, n.nspname, c.relname)
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = p_schema_name and c.relname = p_table_name and c.relkind in ('r', 'p')
$function$;

comment on function lizsync.compared_rows(text, text) is
    'FROM item of a query on the rows of a table, which it calls t; null: there is no such table.';
