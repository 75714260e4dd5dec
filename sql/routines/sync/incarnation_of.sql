create or replace function lizsync.incarnation_of(p_system_identifier bigint, p_database_oid oid)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
    -- as text: numbers of 64 bits lose digits on their way through JavaScript
    select jsonb_build_object('system_identifier', p_system_identifier::text, 'database_oid', p_database_oid::text)
$function$;

comment on function lizsync.incarnation_of(bigint, oid) is 'A physical database by its ids, in the form of lizsync.incarnation().';
