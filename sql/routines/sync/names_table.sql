create or replace function lizsync.names_table(p_tables jsonb, p_schema_name text, p_table_name text)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    select p_tables is null
        or p_tables @> jsonb_build_array(jsonb_build_object('schema_name', p_schema_name, 'table_name', p_table_name))
$function$;

comment on function lizsync.names_table(jsonb, text, text) is
    'Whether a table is among p_tables, objects with schema_name and table_name; null: all are.';
