create or replace function lizsync.find_differing_ranges(
    p_schema_name text,
    p_table_name text,
    p_columns text[],
    p_range_starts uuid[],
    p_row_counts bigint[],
    p_checksums numeric[]
)
returns table (range_start uuid, range_end uuid, row_count bigint)
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
        $query$
            with own as (
                -- the start of the first range is null: it is number 0, whatever lies before the second one
                select
                    width_bucket(t.uid, $1[2:]) + 1 as range_number,
                    count(*) as row_count,
                    sum(%s) as checksum
                from %s
                group by 1
            )
            select every.range_start, every.range_end, every.row_count
            from (
                select
                    given.range_number,
                    given.range_start,
                    lead(given.range_start) over (order by given.range_number) as range_end,
                    given.row_count + coalesce(own.row_count, 0) as row_count,
                    given.row_count = coalesce(own.row_count, 0)
                        and given.checksum = coalesce(own.checksum, 0) as is_equal
                from unnest($1, $2, $3) with ordinality as given (range_start, row_count, checksum, range_number)
                left join own on own.range_number = given.range_number
            ) as every
            where not every.is_equal
            order by every.range_number
        $query$,
        lizsync.row_hash_expression(p_columns),
        lizsync.compared_rows(p_schema_name, p_table_name)
    ) using p_range_starts, p_row_counts, p_checksums;
end
$function$;

comment on function lizsync.find_differing_ranges(text, text, text[], uuid[], bigint[], numeric[]) is
    'Given the answer of lizsync.range_checksums of the other side: the ranges, in order, in which this side has something '
    'else, and the number of rows of both sides in them. range_end is the first uid after the range, null: there is none.';
