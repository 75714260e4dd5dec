create or replace function lizsync.describe_columns(p_peer_id uuid, p_tables text[])
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
-- both servers must write names the same way
set quote_all_identifiers = off
as $function$
    select coalesce(jsonb_object_agg(format('%I.%I', l.schema_name, l.table_name), d.columns), '{}')
    from lizsync.link_relations as l
    left join lateral (
        select jsonb_object_agg(c.column_name, format_type(a.atttypid, a.atttypmod)) as columns
        from unnest(lizsync.synchronised_columns(l.schema_name, l.table_name)) as c (column_name)
        join pg_attribute as a
            on a.attrelid = to_regclass(format('%I.%I', l.schema_name, l.table_name)) and a.attname = c.column_name
    ) as d on true
    where (select lizsync.check_peer(p_peer_id)) and l.peer_id = p_peer_id and format('%I.%I', l.schema_name, l.table_name) = any (p_tables)
$function$;

comment on function lizsync.describe_columns(uuid, text[]) is
    'Synchronised columns and their types of tables of a link; null: the table is missing.';
