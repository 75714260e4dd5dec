create or replace function lizsync.find_differing_columns(
    p_schema_name text,
    p_table_name text,
    p_columns text[],
    p_uids uuid[],
    p_checksums bigint[]
)
returns table (uid uuid, column_names text[])
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select
        own.uid,
        array(
            select p_columns[c.column_number]
            from generate_subscripts(p_columns, 1) as c (column_number)
            where own.checksums[c.column_number] is distinct from p_checksums[given.row_number][c.column_number]
            order by c.column_number
        )
    from unnest(p_uids) with ordinality as given (uid, row_number)
    join lizsync.column_checksums(p_schema_name, p_table_name, p_columns, p_uids) as own on own.uid = given.uid
    order by own.uid
$function$;

comment on function lizsync.find_differing_columns(text, text, text[], uuid[], bigint[]) is
    'Given the answer of lizsync.column_checksums of the other side, p_checksums with one row for each uid: the columns '
    'whose values differ, by row.';
