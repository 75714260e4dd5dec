create or replace function audit.text_size(p_value anyelement)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- The subtransaction of the exception block writes nothing, so it takes no transaction id.
begin
    return octet_length(concat(p_value));
exception
    -- PostgreSQL says it in any of these ways
    when program_limit_exceeded or out_of_memory or internal_error then
        return 9223372036854775807;
end
$function$;

comment on function audit.text_size(anyelement) is
    'Bytes of a value as text; the greatest bigint when it has no text because that were longer than PostgreSQL allows.';
