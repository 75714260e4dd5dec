create or replace function lizsync.check_same_structure(p_clone_columns jsonb, p_central_columns jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_differences text[];
begin
    select array_agg(d.difference order by d.difference) into v_differences
    from (
        select case
            when clone.value is null or clone.value = 'null' then format('%s is missing in the clone', t.table_name)
            when central.value is null or central.value = 'null' then format('%s is missing in the central', t.table_name)
            when c.clone_type is null then format('%s: column %I (%s) is missing in the clone', t.table_name, c.column_name, c.central_type)
            when c.central_type is null then format('%s: column %I (%s) is missing in the central', t.table_name, c.column_name, c.clone_type)
            else format('%s: column %I is %s in the central and %s in the clone', t.table_name, c.column_name, c.central_type, c.clone_type)
        end as difference
        from (select jsonb_object_keys(p_clone_columns || p_central_columns) as table_name) as t
        cross join lateral (select p_clone_columns -> t.table_name) as clone (value)
        cross join lateral (select p_central_columns -> t.table_name) as central (value)
        left join lateral (
            select coalesce(a.key, b.key) as column_name, a.value as clone_type, b.value as central_type
            from jsonb_each_text(case when jsonb_typeof(clone.value) = 'object' then clone.value else '{}' end) as a
            full join jsonb_each_text(case when jsonb_typeof(central.value) = 'object' then central.value else '{}' end) as b on a.key = b.key
            where a.value is distinct from b.value
        ) as c on true
        where clone.value is distinct from central.value
    ) as d;
    if v_differences is not null then
        raise exception using
            errcode = 'LZ001',
            message = 'the structure of central and clone differs; nothing was synchronised',
            detail = array_to_string(v_differences, e'\n'),
            hint = 'Give both the same structure again; or send what the clone has of the other tables (lizsync sync --tables), then '
                   'make a new package of the central and deploy it to the clone.';
    end if;
end
$function$;

comment on function lizsync.check_same_structure(jsonb, jsonb) is
    'Compares two lizsync.describe_columns; raises LZ001 naming each table and column that differs.';
