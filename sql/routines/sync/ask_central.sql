create or replace function lizsync.ask_central(p_connection text, p_query text)
returns jsonb
language sql
set search_path = pg_catalog, pg_temp
as $function$
    select r.answer from @extschema:dblink@.dblink(p_connection, p_query) as r (answer jsonb)
$function$;

comment on function lizsync.ask_central(text, text) is 'Runs a query that returns one jsonb on an open dblink connection.';
