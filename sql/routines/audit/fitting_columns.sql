create or replace function audit.fitting_columns(p_columns text[], p_sizes bigint[])
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    -- hstore is written out in memory of twice the size, and PostgreSQL allows 1 GB of that
    select coalesce(array_agg(s.column_name), '{}')
    from (
        select
            c.column_name,
            sum(c.size::numeric + octet_length(c.column_name) + 8) over (order by c.size, c.column_name rows unbounded preceding) as total
        from unnest(p_columns, p_sizes) as c (column_name, size)
        where c.size is not null
    ) as s
    where s.total <= 500000000
$function$;

comment on function audit.fitting_columns(text[], bigint[]) is
    'Columns whose values can be logged together, the smallest first; sizes in bytes of text, columns of size null are left out.';
