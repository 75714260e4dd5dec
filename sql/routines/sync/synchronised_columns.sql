create or replace function lizsync.synchronised_columns(p_schema_name text, p_table_name text)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select coalesce(array_agg(a.attname::text order by a.attname::text collate "C"), '{}')
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_attribute as a on a.attrelid = c.oid
    left join audit.logged_relations as r on r.schema_name = n.nspname and r.table_name = c.relname
    where n.nspname = p_schema_name
      and c.relname = p_table_name
      and a.attnum > 0
      and not a.attisdropped
      and a.attname <> 'uid'
      and a.attgenerated = ''
      and a.attname <> all (coalesce(r.excluded_columns, '{}'))
$function$;

comment on function lizsync.synchronised_columns(text, text) is
    'Columns of a table whose values are synchronised, by name: all but uid, generated and excluded ones.';
