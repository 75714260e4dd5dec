create or replace function lizsync.find_value(p_columns text[], p_lower bigint, p_upper bigint, p_highest boolean)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $function$
-- One look into an index where a column has one.
declare
    v_column record;
    v_value bigint;
    v_found bigint;
begin
    for v_column in
        select format('%I.%I', i.names[1], i.names[2]) as table_name, format('%I', i.names[3]) as column_name
        from unnest(p_columns) as c (name)
        cross join lateral (select parse_ident(c.name) as names) as i
        join pg_attribute as a
            on a.attrelid = to_regclass(format('%I.%I', i.names[1], i.names[2])) and a.attname = i.names[3]
        where lizsync.base_type(a.atttypid) in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
    loop
        execute format(
            'select %1$s(t.%2$s) from %3$s as t where t.%2$s >= $1 and t.%2$s <= $2',
            case when p_highest then 'max' else 'min' end, v_column.column_name, v_column.table_name)
        into v_value
        using p_lower, p_upper;
        v_found := case when p_highest then greatest(v_found, v_value) else least(v_found, v_value) end;
    end loop;
    return v_found;
end
$function$;

comment on function lizsync.find_value(text[], bigint, bigint, boolean) is
    'The lowest or the highest value from p_lower to p_upper that any of these columns has; null: none. Columns that are no integers are '
    'not looked at.';
