create or replace function lizsync.limiting_encoding(p_receiver_id uuid)
returns name
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    -- SQL_ASCII takes any bytes for text, and gives them for text, too
    select case when l.peer_encoding = 'SQL_ASCII' then 'UTF8' else l.peer_encoding end
    from lizsync.links as l
    where l.peer_id = p_receiver_id
      and (getdatabaseencoding() = 'SQL_ASCII' or l.peer_encoding not in (getdatabaseencoding(), 'UTF8', 'SQL_ASCII'))
$function$;

comment on function lizsync.limiting_encoding(uuid) is
    'The encoding of a receiver, if it may lack characters that this database has; null: it has them all.';
