create or replace function lizsync.values_in_utf8(p_values @extschema:hstore@.hstore)
returns bytea
language sql
immutable
strict
security definer
set search_path = pg_catalog, pg_temp
as $function$
    -- what hstore itself sends has the lengths of the texts before they are converted
    select int4send(count(*)::integer) || coalesce(string_agg(
        int4send(octet_length(e.name)) || e.name || coalesce(int4send(octet_length(e.value)) || e.value, '\xffffffff'), ''), '')
    from (
        select convert_to(v.key, 'UTF8') as name, convert_to(v.value, 'UTF8') as value
        from @extschema:hstore@.each(p_values) as v
    ) as e
$function$;

comment on function lizsync.values_in_utf8(@extschema:hstore@.hstore) is
    'Values as COPY in binary format reads them from a client with the encoding UTF8: for databases that have another one.';
