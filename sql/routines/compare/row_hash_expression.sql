create or replace function lizsync.row_hash_expression(p_columns text[])
returns text
language sql
stable
strict
set search_path = pg_catalog, pg_temp
as $function$
    -- The seed tells the columns apart. The outer hash binds the values to the row: a plain sum would not notice values
    -- that changed places between rows. A composite value of all columns could exceed the limit of 1 GB.
    select format(
        'hashint8extended(%s, 0)',
        string_agg(lizsync.value_hash_expression(c.column_name, c.seed::integer), ' # ' order by c.seed)
    )
    from (
        select 'uid', 0::bigint
        union all
        select * from unnest(p_columns) with ordinality
    ) as c (column_name, seed)
$function$;

comment on function lizsync.row_hash_expression(text[]) is
    'SQL expression of a 64-bit hash of the uid and the given columns of t. The order of the columns counts.';
