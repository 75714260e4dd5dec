create or replace function lizsync.range_checksums(
    p_schema_name text,
    p_table_name text,
    p_columns text[],
    p_range_count integer
)
returns table (range_start uuid, row_count bigint, checksum numeric)
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
    -- ranges with the same number of rows each, whatever the distribution of the uids
    return query execute format(
        $query$
            select
                nullif(min(hashed.uid::text collate "C"), min(min(hashed.uid::text collate "C")) over ())::uuid,
                count(*),
                sum(hashed.row_hash)
            from (
                select t.uid, %s as row_hash, ntile($1) over (order by t.uid) as range_number
                from %s
            ) as hashed
            group by hashed.range_number
            order by hashed.range_number
        $query$,
        lizsync.row_hash_expression(p_columns),
        lizsync.compared_rows(p_schema_name, p_table_name)
    ) using p_range_count;
    if not found then
        return query select null::uuid, 0::bigint, 0::numeric;
    end if;
end
$function$;

comment on function lizsync.range_checksums(text, text, text[], integer) is
    'Divides a table into at most p_range_count ranges of uids and returns them in order, at least one. A range begins with '
    'its range_start, the first one, where that is null, with the lowest uid there can be, and ends before the next.';
