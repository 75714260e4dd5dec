create or replace function lizsync.incarnation()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    -- as text: numbers of 64 bits lose digits on their way through JavaScript
    select jsonb_build_object(
        'system_identifier', (select c.system_identifier::text from pg_control_system() as c),
        'database_oid', (select d.oid::text from pg_database as d where d.datname = current_database())
    )
$function$;

comment on function lizsync.incarnation() is
    'Which physical database this is: a dump restored elsewhere and a copy have others, and positions mean nothing there.';
