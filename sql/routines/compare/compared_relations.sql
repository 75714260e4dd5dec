create or replace function lizsync.compared_relations(
    p_schema_names text[] default null,
    p_table_schemas text[] default null,
    p_table_names text[] default null
)
returns table (schema_name text, table_name text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_unknown text;
begin
    if not exists (select from lizsync.link_relations) then
        raise exception using
            errcode = 'LZ001',
            message = 'this database is not a clone: it synchronises no tables',
            hint = 'Connect to a clone. A database becomes one by: lizsync deploy ARCHIVE --clone';
    end if;
    select string_agg(wanted.display_name, ', ') into v_unknown
    from (
        select quote_ident(s) as display_name
        from unnest(p_schema_names) as s
        where not exists (select from lizsync.link_relations as r where r.schema_name = s)
        union all
        select concat_ws('.', quote_ident(s), quote_ident(t))
        from unnest(p_table_schemas, p_table_names) as w (s, t)
        where not exists (select from lizsync.link_relations as r where r.schema_name = s and r.table_name = t)
    ) as wanted;
    if v_unknown is not null then
        raise exception using
            errcode = 'LZ002',
            message = 'the clone does not synchronise ' || v_unknown,
            detail = (
                select 'It synchronises '
                    || string_agg(distinct format('%I.%I', r.schema_name, r.table_name), ', ') || '.'
                from lizsync.link_relations as r
            ),
            hint = 'Name tables of the package that the clone was deployed from.';
    end if;
    return query
    select distinct r.schema_name, r.table_name
    from lizsync.link_relations as r
    where p_schema_names is null and p_table_names is null
       or r.schema_name = any (p_schema_names)
       or (r.schema_name, r.table_name) in (select * from unnest(p_table_schemas, p_table_names))
    order by r.schema_name, r.table_name;
end
$function$;

comment on function lizsync.compared_relations(text[], text[], text[]) is
    'Tables that this clone synchronises: of the given schemas and those named one by one, or all when both are null. '
    'LZ001 where it is no clone, LZ002 for a name that it does not synchronise.';
