create or replace function lizsync.check_compared_columns(
    p_schema_name text,
    p_table_name text,
    p_central_columns text[]
)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_columns constant text[] := lizsync.compared_columns(p_schema_name, p_table_name);
    v_only_central text;
    v_only_clone text;
begin
    if v_columns = p_central_columns then
        return v_columns;
    end if;
    if v_columns is null or p_central_columns is null then
        raise exception using
            errcode = 'LZ001',
            message = format(
                'the table %I.%I is missing in %s', p_schema_name, p_table_name,
                case
                    when v_columns is not null then 'the central'
                    when p_central_columns is not null then 'the clone'
                    else 'the central and in the clone'
                end
            ),
            detail = 'A table that is there without a column uid of the type uuid counts as missing.',
            hint = 'Create it as it is on the other side, or make a new package of the tables that exist and deploy it.';
    end if;
    select string_agg(quote_ident(c), ', ' order by c) into v_only_central
    from unnest(p_central_columns) as c
    where c <> all (v_columns);
    select string_agg(quote_ident(c), ', ' order by c) into v_only_clone
    from unnest(v_columns) as c
    where c <> all (p_central_columns);
    raise exception using
        errcode = 'LZ001',
        message = format('the table %I.%I has other columns in the central than in the clone', p_schema_name, p_table_name),
        detail = concat_ws('; ', 'only in the central: ' || v_only_central, 'only in the clone: ' || v_only_clone),
        hint = 'Make the same change to the table on both sides, or make a new package and deploy it.';
end
$function$;

comment on function lizsync.check_compared_columns(text, text, text[]) is
    'Runs in the clone: the columns that both sides compare, by name, given those of the central. LZ001 when the table or '
    'some of its columns are on one side only.';
