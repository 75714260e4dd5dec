create or replace function lizsync.prepare_relation(
    p_schema_name text,
    p_table_name text,
    p_excluded_columns text[] default '{}',
    out uid_status text,
    out triggers_status text,
    out excluded_columns text[]
)
returns record
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- p_excluded_columns come in addition to those that are excluded already.
declare
    v_relation constant regclass := format('%I.%I', p_schema_name, p_table_name);
    v_problems text;
    v_triggers text;
    v_partition regclass;
    v_new_columns text[];
begin
    uid_status := lizsync.uid_status(v_relation);
    -- at once the strongest lock that is needed: one that is raised later invites deadlocks
    execute format(
        'lock table %s in %s mode',
        v_relation,
        case when uid_status = 'present' then 'share row exclusive' else 'access exclusive' end
    );
    uid_status := lizsync.uid_status(v_relation);

    v_new_columns := array(
        select unnest(p_excluded_columns) as column_name
        except
        select unnest(r.excluded_columns)
        from audit.logged_relations as r
        where r.schema_name = p_schema_name and r.table_name = p_table_name
        order by column_name
    );
    select string_agg(format('%s: %s', c.problem, c.remedy), e'\n') into v_problems
    from lizsync.check_relation(v_relation, v_new_columns) as c;
    if v_problems is not null then
        raise exception using
            errcode = 'LZ001',
            message = format('%s can''t be prepared', v_relation),
            detail = v_problems;
    end if;

    if uid_status = 'missing' then
        if (select c.relkind = 'p' from pg_class as c where c.oid = v_relation) then
            execute format('alter table %s add column uid uuid not null default gen_random_uuid()', v_relation);
        else
            execute format('alter table %s add column uid uuid not null unique default gen_random_uuid()', v_relation);
        end if;
    elsif uid_status = 'incomplete' then
        execute format('alter table %s alter column uid set not null', v_relation);
        if not (
            select a.atthasdef from pg_attribute as a where a.attrelid = v_relation and a.attname = 'uid'
        ) then
            execute format('alter table %s alter column uid set default gen_random_uuid()', v_relation);
        end if;
    end if;
    -- a unique constraint of a partitioned table would have to contain the partition key
    for v_partition in
        select p.relation
        from lizsync.partition_tree(v_relation) as p
        where p.is_leaf and not lizsync.has_unique_uid(p.relation)
        order by p.relation::text collate "C"
    loop
        execute format('alter table %s add unique (uid)', v_partition);
    end loop;
    uid_status := case uid_status when 'missing' then 'added' when 'incomplete' then 'completed' else uid_status end;

    v_triggers := lizsync.describe_audit(v_relation);
    select coalesce(r.excluded_columns, '{}') || v_new_columns into excluded_columns
    from (select) as one_row
    left join audit.logged_relations as r on r.schema_name = p_schema_name and r.table_name = p_table_name;
    perform audit.enable_relation(p_schema_name, p_table_name, excluded_columns);
    triggers_status :=
        case when lizsync.describe_audit(v_relation) is not distinct from v_triggers then 'present' else 'added' end;
end
$function$;

comment on function lizsync.prepare_relation(text, text, text[]) is
    'Gives a table its column uid and its audit triggers, and says which were added and which were present. Idempotent.';
