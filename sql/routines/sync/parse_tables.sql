create or replace function lizsync.parse_tables(p_peer_id uuid, p_tables text[])
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_unknown text;
begin
    select string_agg(array_to_string(array(select quote_ident(n) from unnest(parse_ident(t.name)) as n), '.'), ', ') into v_unknown
    from unnest(p_tables) as t (name)
    where not exists (
        select from lizsync.link_relations as r
        where r.peer_id = p_peer_id and array[r.schema_name, r.table_name] = parse_ident(t.name));
    if v_unknown is not null then
        raise exception using
            errcode = 'LZ002',
            message = format('this clone does not synchronise %s', v_unknown),
            detail = (select string_agg(format('%I.%I', r.schema_name, r.table_name), e'\n' order by r.schema_name, r.table_name)
                      from lizsync.link_relations as r where r.peer_id = p_peer_id),
            hint = 'Name tables with their schemas, as in SQL: survey.point,"Survey"."Photo".';
    end if;
    return (
        select jsonb_agg(distinct jsonb_build_object('schema_name', n[1], 'table_name', n[2]))
        from unnest(p_tables) as t (name)
        cross join parse_ident(t.name) as n
    );
end
$function$;

comment on function lizsync.parse_tables(uuid, text[]) is
    'Tables of a link, named as in SQL, as objects with schema_name and table_name; null: all. LZ002 for others.';
