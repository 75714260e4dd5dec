create or replace function lizsync.is_row_error(p_sqlstate text)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    -- data exceptions, constraint violations, what a trigger raised, unknown objects or types named in a value: another
    -- row may well pass. Everything else (deadlock, cancel, disk full, shutdown, ...) is no matter of one row.
    select left(p_sqlstate, 2) in ('21', '22', '23', '27', '2F', '38', '39', '42', '44', 'P0', 'LZ')
$function$;

comment on function lizsync.is_row_error(text) is 'Whether an error of this SQLSTATE is due to the row that was written.';
