create or replace function lizsync.row_checksums(
    p_schema_name text,
    p_table_name text,
    p_columns text[],
    p_range_starts uuid[],
    p_range_ends uuid[]
)
returns table (uid uuid, checksum bigint)
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
    -- closed intervals let an index on uid find both ends, where "is null or" would not
    return query execute format(
        $query$
            select t.uid, %s
            from unnest($1, $2) as r (range_start, range_end)
            join %s
                on t.uid >= coalesce(r.range_start, '00000000-0000-0000-0000-000000000000')
                and t.uid <= coalesce(r.range_end, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                and t.uid is distinct from r.range_end
        $query$,
        lizsync.row_hash_expression(p_columns),
        lizsync.compared_rows(p_schema_name, p_table_name)
    ) using p_range_starts, p_range_ends;
end
$function$;

comment on function lizsync.row_checksums(text, text, text[], uuid[], uuid[]) is
    'Checksum of the given columns of each row in the ranges, as lizsync.find_differing_ranges returns them.';
