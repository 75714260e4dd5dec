create or replace function lizsync.relation_fingerprints(p_peer_id uuid, p_tables jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
-- both servers must write names the same way
set quote_all_identifiers = off
as $function$
    select coalesce(jsonb_object_agg(format('%I.%I', l.schema_name, l.table_name), f.fingerprint), '{}')
    from lizsync.link_relations as l
    left join lateral (
        select md5(string_agg(
            format('%s %s', c.column_name, format_type(a.atttypid, a.atttypmod)), ',' order by c.column_name)) as fingerprint
        from unnest(lizsync.synchronised_columns(l.schema_name, l.table_name)) as c (column_name)
        join pg_attribute as a
            on a.attrelid = to_regclass(format('%I.%I', l.schema_name, l.table_name)) and a.attname = c.column_name
    ) as f on true
    where l.peer_id = p_peer_id and lizsync.names_table(p_tables, l.schema_name, l.table_name)
$function$;

comment on function lizsync.relation_fingerprints(uuid, jsonb) is
    'The tables of a link (p_tables null: all), each with a fingerprint of its synchronised columns and their types; null: the table is missing.';
