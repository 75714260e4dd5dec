create or replace function lizsync.ahead_positions(p_peer_id uuid)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('schema_name', r.schema_name, 'table_name', r.table_name, 'position', r.position)
            order by r.schema_name, r.table_name),
        '[]')
    from lizsync.link_relations as r
    where r.peer_id = p_peer_id and r.position is not null
$function$;

comment on function lizsync.ahead_positions(uuid) is
    'The tables of a link that are further than its position, each with its own: they were synchronised without the others.';
