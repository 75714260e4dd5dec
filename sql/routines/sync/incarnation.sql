create or replace function lizsync.incarnation()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select lizsync.incarnation_of(c.system_identifier, d.oid)
    from pg_control_system() as c
    cross join pg_database as d
    where d.datname = current_database()
$function$;

comment on function lizsync.incarnation() is
    'Which physical database this is: a dump restored elsewhere and a copy have others, and positions mean nothing there.';
