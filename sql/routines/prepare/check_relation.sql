create or replace function lizsync.check_relation(p_relation regclass, p_excluded_columns text[] default '{}')
returns table (problem text, remedy text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- p_excluded_columns: those that are to be excluded, without those that are already.
declare
    v_class pg_class;
    v_schema_name text;
    v_owner text;
    v_uid pg_attribute;
    v_has_null boolean;
begin
    select c.* into v_class from pg_class as c where c.oid = p_relation;
    select n.nspname into v_schema_name from pg_namespace as n where n.oid = v_class.relnamespace;
    v_owner := pg_get_userbyid(v_class.relowner);

    if v_schema_name in ('audit', 'lizsync', 'information_schema') or v_schema_name ~ '^pg_(?!temp|toast_temp)' then
        return query select 'is a table of lizsync or PostgreSQL', 'leave it out';
        return;
    end if;
    if v_class.relkind not in ('r', 'p') then
        return query select
            case v_class.relkind
                when 'v' then 'is a view'
                when 'm' then 'is a materialized view'
                else 'is a foreign table'
            end,
            case v_class.relkind
                when 'f' then 'prepare the table behind it in its own database'
                else 'name the tables that it reads'
            end;
        return;
    end if;
    if v_class.relpersistence <> 'p' then
        return query select
            case v_class.relpersistence when 't' then 'is a temporary table' else 'is an unlogged table' end,
            case v_class.relpersistence
                when 't' then 'leave it out'
                else format('leave it out, or: alter table %s set logged;', p_relation)
            end;
        return;
    end if;
    if v_class.relispartition then
        return query select
            format('is a partition of %s', pg_partition_root(p_relation)),
            format('name %s: it is prepared with its partitions', pg_partition_root(p_relation));
        return;
    end if;

    return query
        select format('belongs to the extension %I', e.extname), 'leave it out'
        from pg_depend as d
        join pg_extension as e on e.oid = d.refobjid
        where d.classid = 'pg_class'::regclass and d.objid = p_relation and d.deptype = 'e';
    return query
        select format('inherits from %s', i.inhparent::regclass), 'use partitions, or separate tables'
        from pg_inherits as i
        where i.inhrelid = p_relation;
    if v_class.relkind = 'r' then
        return query
            select format('%s inherits from it', i.inhrelid::regclass), 'use partitions, or separate tables'
            from pg_inherits as i
            where i.inhparent = p_relation;
    end if;
    return query
        select
            format('its partition %s is %s', p.relid,
                case c.relkind when 'f' then 'a foreign table' else 'an unlogged table' end),
            format('detach it: alter table %s detach partition %s;', p.parentrelid, p.relid)
        from pg_partition_tree(p_relation) as p
        join pg_class as c on c.oid = p.relid
        where c.relkind = 'f' or c.relpersistence <> 'p';
    if not pg_has_role(v_class.relowner, 'usage') then
        return query select
            format('belongs to %I, and %I is no member of that role', v_owner, current_user),
            format('connect as %1$I or a superuser, or: grant %1$I to %2$I;', v_owner, current_user);
    end if;
    return query
        select
            format('%I, which owns lizsync and synchronises, may not read and change it', r.rolname),
            format('grant usage on schema %I to %I; grant select, insert, update, delete on %s to %2$I;',
                v_schema_name, r.rolname, p_relation)
        from pg_class as own
        join pg_roles as r on r.oid = own.relowner
        where own.oid = 'lizsync.server_metadata'::regclass
          and not (
              has_schema_privilege(r.oid, v_class.relnamespace, 'usage')
              and has_table_privilege(r.oid, p_relation, 'select')
              and has_table_privilege(r.oid, p_relation, 'insert')
              and has_table_privilege(r.oid, p_relation, 'update')
              and has_table_privilege(r.oid, p_relation, 'delete')
          );

    select a.* into v_uid
    from pg_attribute as a
    where a.attrelid = p_relation and a.attname = 'uid' and not a.attisdropped;
    if v_uid.attnum is null then
        if v_class.reloftype <> 0 then
            return query select
                format('is of type %s, so no column uid can be added', v_class.reloftype::regtype),
                format('alter table %s not of;', p_relation);
        end if;
    elsif v_uid.atttypid <> 'uuid'::regtype then
        return query select
            format('its column uid is of type %s, not uuid', format_type(v_uid.atttypid, v_uid.atttypmod)),
            format('rename it, so that one can be added: alter table %s rename column uid to old_uid;', p_relation);
    elsif v_uid.attgenerated <> '' then
        return query select
            'its column uid is generated',
            format('rename it, so that one can be added: alter table %s rename column uid to old_uid;', p_relation);
    else
        if not v_uid.attnotnull and has_table_privilege(p_relation, 'select') then
            execute format('select exists (select from %s where uid is null)', p_relation) into v_has_null;
            if v_has_null then
                return query select
                    'its column uid holds nulls',
                    format('update %s set uid = gen_random_uuid() where uid is null;', p_relation);
            end if;
        end if;
        -- partitions that were attached to a prepared table get their index; nobody else is given one unasked, because
        -- it may be that the values are not unique
        return query
            select
                case
                    when p.relation = p_relation then 'its column uid is not unique'
                    else format('the column uid of its partition %s is not unique', p.relation)
                end,
                format('alter table %s add unique (uid);', p.relation)
            from lizsync.partition_tree(p_relation) as p
            where p.is_leaf
              and not lizsync.has_unique_uid(p.relation)
              and not (
                  v_class.relkind = 'p'
                  and exists (
                      select
                      from audit.logged_relations as r
                      where r.schema_name = v_schema_name and r.table_name = v_class.relname
                  )
              );
    end if;

    return query
        select
            case
                when e.column_name = 'uid' then 'its column uid can''t be excluded'
                when a.attnum is null then format('it has no column %I to exclude', e.column_name)
                when key.is_primary then format('its column %I is part of the primary key', e.column_name)
                when key.is_partition_key then format('its column %I is part of the partition key', e.column_name)
                else format('its column %I is not null and has no default', e.column_name)
            end,
            case
                when e.column_name <> 'uid' and a.attnum is null then 'check its name'
                else format('exclude other columns than %I, which a row can''t do without', e.column_name)
            end
        from unnest(p_excluded_columns) as e (column_name)
        left join pg_attribute as a
            on a.attrelid = p_relation and a.attname = e.column_name and a.attnum > 0 and not a.attisdropped
        left join pg_type as t on t.oid = a.atttypid
        cross join lateral (
            select
                exists (
                    select
                    from pg_index as i
                    where i.indrelid = p_relation and i.indisprimary and a.attnum = any (i.indkey)
                ) as is_primary,
                exists (
                    -- how PostgreSQL notes the columns of a partition key, those in expressions too
                    select
                    from pg_depend as d
                    where d.classid = 'pg_class'::regclass and d.objid = p_relation and d.objsubid = a.attnum
                      and d.refclassid = 'pg_class'::regclass and d.refobjid = p_relation and d.refobjsubid = 0
                      and d.deptype = 'i'
                ) as is_partition_key
        ) as key
        where e.column_name = 'uid'
           or a.attnum is null
           or key.is_primary
           or key.is_partition_key
           or (
               (a.attnotnull or t.typnotnull)
               and not a.atthasdef
               and a.attidentity = ''
               and t.typdefault is null
           );
end
$function$;

comment on function lizsync.check_relation(regclass, text[]) is
    'Says why a table can''t be prepared for synchronisation, and what to do about it. No rows: it can.';
