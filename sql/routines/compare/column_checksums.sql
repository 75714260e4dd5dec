create or replace function lizsync.column_checksums(
    p_schema_name text,
    p_table_name text,
    p_columns text[],
    p_uids uuid[]
)
returns table (uid uuid, checksums bigint[])
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
set lc_monetary = 'C'
set row_security = off
as $function$
begin
    return query execute format(
        'select t.uid, array[%s]::bigint[] from %s where t.uid = any ($1)',
        (
            select string_agg(lizsync.value_hash_expression(c.column_name, 0), ', ' order by c.column_number)
            from unnest(p_columns) with ordinality as c (column_name, column_number)
        ),
        lizsync.compared_rows(p_schema_name, p_table_name)
    ) using p_uids;
end
$function$;

comment on function lizsync.column_checksums(text, text, text[], uuid[]) is
    'Checksum of each of the given columns, in their order, of each of the given rows.';
