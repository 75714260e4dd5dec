create or replace function lizsync.describe_server()
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
    select jsonb_build_object('server_id', m.server_id, 'server_name', m.server_name, 'server_role', m.server_role)
    from lizsync.server_metadata as m
$function$;

comment on function lizsync.describe_server() is 'Id, name and role of this server; null: it is none.';
