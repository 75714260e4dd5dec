create or replace function lizsync.find_differing_rows(
    p_schema_name text,
    p_table_name text,
    p_columns text[],
    p_range_starts uuid[],
    p_range_ends uuid[],
    p_uids uuid[],
    p_checksums bigint[]
)
returns table (uid uuid, kind text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select
        coalesce(central.uid, clone.uid) as uid,
        case
            when clone.uid is null then 'only_central'
            when central.uid is null then 'only_clone'
            else 'different'
        end
    from unnest(p_uids, p_checksums) as central (uid, checksum)
    full join lizsync.row_checksums(p_schema_name, p_table_name, p_columns, p_range_starts, p_range_ends) as clone
        on clone.uid = central.uid
    where clone.checksum is distinct from central.checksum
    order by 1
$function$;

comment on function lizsync.find_differing_rows(text, text, text[], uuid[], uuid[], uuid[], bigint[]) is
    'Runs in the clone: given the answer of lizsync.row_checksums of the central for the same ranges, the rows that differ: '
    'only_central, only_clone or different.';
