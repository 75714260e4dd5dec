create or replace function lizsync.table_checksum(
    p_schema_name text,
    p_table_name text,
    p_columns text[]
)
returns table (row_count bigint, checksum numeric)
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
        'select count(*), coalesce(sum(%s), 0) from %s',
        lizsync.row_hash_expression(p_columns),
        lizsync.compared_rows(p_schema_name, p_table_name)
    );
end
$function$;

comment on function lizsync.table_checksum(text, text, text[]) is
    'Number of rows of a table and a checksum of the given columns that does not depend on the order of the rows.';
