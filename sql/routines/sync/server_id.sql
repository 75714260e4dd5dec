create or replace function lizsync.server_id()
returns uuid
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select m.server_id from lizsync.server_metadata as m
$function$;

comment on function lizsync.server_id() is 'The id of this server.';
