create or replace function lizsync.compared_columns(p_schema_name text, p_table_name text)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select lizsync.synchronised_columns(p_schema_name, p_table_name)
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_attribute as a on a.attrelid = c.oid
    where n.nspname = p_schema_name
      and c.relname = p_table_name
      and c.relkind in ('r', 'p')
      and a.attname = 'uid'
      and a.atttypid = 'uuid'::regtype
      and not a.attisdropped
$function$;

comment on function lizsync.compared_columns(text, text) is
    'Columns of a table, by name, whose values a comparison looks at; null: there is no such table with a uid.';
