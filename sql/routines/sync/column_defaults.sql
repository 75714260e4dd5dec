create or replace function lizsync.column_defaults(p_relation regclass, p_columns text[])
returns @extschema:hstore@.hstore
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_column record;
    v_default text;
    v_values @extschema:hstore@.hstore := '';
begin
    for v_column in
        select a.attname, pg_get_expr(d.adbin, d.adrelid) as default_expression
        from pg_attribute as a
        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = p_relation and a.attname = any (p_columns)
    loop
        v_default := null;
        if v_column.default_expression is not null then
            execute format('select case when v is not null then format(''%%s'', v) end from (select %s) as d (v)',
                           v_column.default_expression)
            into v_default;
        end if;
        v_values := v_values operator(@extschema:hstore@.||) @extschema:hstore@.hstore(v_column.attname::text, v_default);
    end loop;
    return v_values;
end
$function$;

comment on function lizsync.column_defaults(regclass, text[]) is 'What the defaults of columns give now, as text.';
