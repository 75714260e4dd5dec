create or replace function audit.large_rows_query(p_table regclass, p_unlogged_columns text[], p_old text, p_new text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- Values are touched one at a time, never as a whole row: a row may hold more than PostgreSQL allows in one piece. A column
-- whose old and new image are equal has not changed, however large it is. concat() writes values as hstore does, by the
-- output function of their type; a cast to text differs for some. Where the size of the text shows without it, none is made.
declare
    v_columns text;
    v_changed text;
    v_old_sizes text;
    v_new_sizes text;
    v_old_values text;
    v_new_values text;
    v_size text;
    v_value constant text := 'case when num_nulls(%1$s.%2$I) = 0 and %2$L = any (%1$s_fitting.columns) then concat(%1$s.%2$I) end';
    v_column record;
begin
    for v_column in
        select a.attname, a.atttypid
        from pg_attribute as a
        where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attname <> all (p_unlogged_columns)
        order by a.attnum
    loop
        v_size := 'case when %2$L = any (changed.columns) then coalesce(' || case v_column.atttypid
            when 'bytea'::regtype then '2 + 2 * octet_length(%1$s.%2$I)::bigint'
            when 'text'::regtype then 'octet_length(%1$s.%2$I)'
            when 'varbit'::regtype then 'length(%1$s.%2$I)'
            else 'audit.text_size(%1$s.%2$I)'
        end || ', 0) end';
        v_columns := concat_ws(', ', v_columns, quote_literal(v_column.attname));
        v_changed := concat_ws(', ', v_changed, format(
            'case when record_image_ne(row(o.%1$I), row(n.%1$I)) then %1$L end', v_column.attname));
        v_old_sizes := concat_ws(', ', v_old_sizes, format(v_size, 'o', v_column.attname));
        v_new_sizes := concat_ws(', ', v_new_sizes, format(v_size, 'n', v_column.attname));
        v_old_values := concat_ws(', ', v_old_values, format(v_value, 'o', v_column.attname));
        v_new_values := concat_ws(', ', v_new_values, format(v_value, 'n', v_column.attname));
    end loop;

    if p_old is null or p_new is null then
        return format($sql$
            select
                %1$s.uid, logged.row_values,
                nullif(array(select unnest(changed.columns) except select unnest(%1$s_fitting.columns)), '{}') as unlogged_columns
            from %2$s as %1$s
            cross join (select array[%3$s]::text[] as columns) as changed
            cross join lateral (
                select audit.fitting_columns(changed.columns, array[%4$s]::bigint[]) as columns offset 0
            ) as %1$s_fitting
            cross join lateral (
                select %5$s as row_values offset 0
            ) as logged$sql$,
            case when p_old is null then 'n' else 'o' end,
            coalesce(p_old, p_new),
            v_columns,
            case when p_old is null then v_new_sizes else v_old_sizes end,
            case when p_old is null
                then format('@extschema:hstore@.hstore(changed.columns, array[%s]::text[])', v_new_values)
                else format('@extschema:hstore@.slice(@extschema:hstore@.hstore(changed.columns, array[%s]::text[]), o_fitting.columns)', v_old_values)
            end);
    end if;

    return format($sql$
        select
            written.uid, @extschema:hstore@.slice(written.old_values, @extschema:hstore@.akeys(written.new_values)) as old_values,
            written.new_values, nullif(written.unlogged_columns, '{}') as unlogged_columns
        from (
            select
                n.uid, unlogged.columns as unlogged_columns,
                @extschema:hstore@.slice(before.row_values, o_fitting.columns) as old_values,
                -- another image may be the same text
                @extschema:hstore@.slice(after.row_values, n_fitting.columns) operator(@extschema:hstore@.-)
                    @extschema:hstore@.slice(before.row_values, o_fitting.columns) operator(@extschema:hstore@.||) @extschema:hstore@.slice(after.row_values, unlogged.columns) as new_values
            from %1$s as o
            join %2$s as n on n.uid = o.uid
            cross join lateral (select array_remove(array[%3$s]::text[], null) as columns offset 0) as changed
            cross join lateral (
                select audit.fitting_columns(array[%4$s]::text[], array[%5$s]::bigint[]) as columns offset 0
            ) as o_fitting
            cross join lateral (
                select audit.fitting_columns(array[%4$s]::text[], array[%6$s]::bigint[]) as columns offset 0
            ) as n_fitting
            cross join lateral (
                select array(select unnest(changed.columns) except select unnest(n_fitting.columns)) as columns offset 0
            ) as unlogged
            cross join lateral (
                select @extschema:hstore@.hstore(array[%4$s]::text[], array[%7$s]::text[]) as row_values offset 0
            ) as before
            cross join lateral (
                select @extschema:hstore@.hstore(array[%4$s]::text[], array[%8$s]::text[]) as row_values offset 0
            ) as after
            offset 0
        ) as written
        where written.new_values operator(@extschema:hstore@.<>) ''$sql$,
        p_old, p_new, v_changed, v_columns, v_old_sizes, v_new_sizes, v_old_values, v_new_values);
end
$function$;

comment on function audit.large_rows_query(regclass, text[], text, text) is
    'Query for what to log of rows that may be too large: uid, values (old and new ones when there are both) and unlogged_columns. p_old and p_new are '
    'items of a from clause with the columns of p_table; one may be null. A column that is too large is null among new values, none of the old ones.';
