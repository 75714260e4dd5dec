create or replace function lizsync.value_expression(p_relation regclass, p_column_name text, p_values text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    -- without type modifier: an explicit cast to varchar(3) would cut, the assignment that follows checks
    select format('(%s operator(@extschema:hstore@.->) %L)::%s', p_values, a.attname, format_type(a.atttypid, -1))
    from pg_attribute as a
    where a.attrelid = p_relation and a.attname = p_column_name and a.attnum > 0
$function$;

comment on function lizsync.value_expression(regclass, text, text) is
    'SQL expression of a column''s value, in its type, out of the hstore expression p_values.';
