create or replace function lizsync.repair_foreign_keys(p_sync_id uuid, p_batch integer, p_after_event_id bigint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A parent was deleted (or got another key) on one side and a child was added on the other: the constraint's own action
-- decides, as it would have in one database. What is decided here is staged as the next batch, a local change that
-- travels like any other. An orphan whose parent nobody deleted waits for it: the received row is held.
declare
    v_constraint record;
    v_orphan record;
    v_key_values @extschema:hstore@.hstore;
    v_lost record;
    v_action "char";
    v_values @extschema:hstore@.hstore;
    v_set_columns text[];
    v_column record;
    v_default text;
    v_cause_row_id integer;
    v_again_row_id integer;
    v_kind text;
    v_target record;
    v_to_hold integer[] := '{}';
    v_message text;
    v_staged boolean := false;
begin
    for v_constraint in
        select
            c.oid as constraint_oid, c.conname, c.conrelid::regclass as child, c.confrelid::regclass as parent,
            c.confdeltype, c.confupdtype,
            cn.nspname as child_schema, cc.relname as child_table, cr.relation_id as child_relation_id,
            pn.nspname as parent_schema, pc.relname as parent_table, pr.relation_id as parent_relation_id,
            (select array_agg(a.attname::text order by k.position)
             from unnest(c.conkey) with ordinality as k (attnum, position)
             join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.attnum) as child_columns,
            (select array_agg(a.attname::text order by k.position)
             from unnest(c.confkey) with ordinality as k (attnum, position)
             join pg_attribute as a on a.attrelid = c.confrelid and a.attnum = k.attnum) as parent_columns,
            -- ON DELETE SET NULL (columns), PostgreSQL 15 and newer
            (select array_agg(a.attname::text)
             from jsonb_array_elements_text(nullif(to_jsonb(c) -> 'confdelsetcols', 'null')) as k (attnum)
             join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.attnum::smallint) as delete_set_columns
        from pg_constraint as c
        join pg_class as cc on cc.oid = c.conrelid
        join pg_namespace as cn on cn.oid = cc.relnamespace
        join pg_class as pc on pc.oid = c.confrelid
        join pg_namespace as pn on pn.oid = pc.relnamespace
        left join audit.logged_relations as cr on cr.schema_name = cn.nspname and cr.table_name = cc.relname
        left join audit.logged_relations as pr on pr.schema_name = pn.nspname and pr.table_name = pc.relname
        where c.contype = 'f'
          and c.conparentid = 0
          and exists (select from pg_temp.lizsync_incoming as i
                      where i.relation in (c.conrelid, c.confrelid) and i.batch = p_batch and i.state = 'a')
        order by c.oid
    loop
        for v_orphan in
            select distinct on (o.child_ctid) o.child_uid, o.child_ctid, o.key_values
            from lizsync.find_orphans(v_constraint.constraint_oid, p_batch, p_after_event_id) as o
        loop
            select @extschema:hstore@.hstore(array_agg(k.parent_column), array_agg(v_orphan.key_values operator(@extschema:hstore@.->) k.child_column))
            into v_key_values
            from unnest(v_constraint.parent_columns, v_constraint.child_columns) as k (parent_column, child_column);

            -- what became of the parent, as this server saw it
            select l.action, l.uid, l.old_values, l.new_values into v_lost
            from audit.logged_actions as l
            where l.relation_id = v_constraint.parent_relation_id
              and l.action in ('D', 'U')
              and @extschema:hstore@.slice(l.old_values, v_constraint.parent_columns) operator(@extschema:hstore@.<>) ''
              and v_key_values operator(@extschema:hstore@.@>) @extschema:hstore@.slice(l.old_values, v_constraint.parent_columns)
            order by l.event_id desc
            limit 1;

            if v_lost.action is null then
                select * into v_lost
                from lizsync.find_parent_that_lost(v_constraint.parent, v_constraint.parent_relation_id, v_key_values);
            end if;

            select i.row_id into v_cause_row_id
            from pg_temp.lizsync_incoming as i
            where i.relation = v_constraint.child and i.uid = v_orphan.child_uid and i.batch = 0 and i.state = 'a'
            limit 1;

            if v_lost.action is null then
                if v_cause_row_id is null then
                    raise exception using
                        errcode = 'LZ001',
                        message = format('a row of %I.%I has no parent in %I.%I (constraint %I, key %s)',
                            v_constraint.child_schema, v_constraint.child_table, v_constraint.parent_schema,
                            v_constraint.parent_table, v_constraint.conname, v_orphan.key_values),
                        hint = 'Repair the row or its parent in this server, then synchronise again.';
                end if;
                v_message := format('key (%s) is not present in table %I.%I (constraint %I)',
                    v_orphan.key_values, v_constraint.parent_schema, v_constraint.parent_table, v_constraint.conname);
                v_to_hold := v_to_hold || v_cause_row_id;
                continue;
            end if;

            v_action := case v_lost.action when 'D' then v_constraint.confdeltype else v_constraint.confupdtype end;
            v_set_columns := case when v_lost.action = 'D' then coalesce(v_constraint.delete_set_columns, v_constraint.child_columns)
                                  else v_constraint.child_columns end;
            if v_action in ('n', 'd') and exists (
                select from pg_attribute as a
                where v_action = 'n' and a.attrelid = v_constraint.child and a.attname = any (v_set_columns) and a.attnotnull
            ) then
                v_action := 'a';  -- null is not allowed there: in one database the parent could not have been deleted
            end if;
            if v_action = 'c' and v_lost.action = 'D' and exists (
                select from pg_temp.lizsync_found_conflicts as c
                where c.kind = 'foreign_key_restore'
                  and (c.schema_name, c.table_name, c.uid) = (v_constraint.child_schema, v_constraint.child_table, v_orphan.child_uid)
            ) then
                v_action := 'a';  -- the child came back because it may not be deleted; then its parent could not have been either
            end if;

            if v_action in ('a', 'r') then
                v_target := row(v_constraint.parent_schema, v_constraint.parent_table, v_lost.uid);
                v_kind := 'foreign_key_restore';
                if v_lost.action = 'D' then
                    -- as it was, plus what arrived for it, with the key that the child has
                    v_values := v_lost.old_values operator(@extschema:hstore@.||) coalesce((
                        select i.new_values
                        from pg_temp.lizsync_incoming as i
                        where i.relation = v_constraint.parent and i.uid = v_lost.uid and i.batch = 0 and i.action <> 'D'
                    ), '') operator(@extschema:hstore@.||) v_key_values;
                else
                    v_values := v_key_values;
                end if;
            else
                v_target := row(v_constraint.child_schema, v_constraint.child_table, v_orphan.child_uid);
                v_kind := case when v_action = 'c' and v_lost.action = 'D' then 'foreign_key_cascade' else 'foreign_key_set' end;
                v_values := '';
                if v_action = 'c' and v_lost.action = 'U' then
                    select @extschema:hstore@.hstore(array_agg(k.child_column),
                               array_agg((v_key_values operator(@extschema:hstore@.||) v_lost.new_values) operator(@extschema:hstore@.->) k.parent_column))
                    into v_values
                    from unnest(v_constraint.parent_columns, v_constraint.child_columns) as k (parent_column, child_column);
                elsif v_action in ('n', 'd') then
                    for v_column in
                        select a.attname, pg_get_expr(d.adbin, d.adrelid) as default_expression
                        from pg_attribute as a
                        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
                        where a.attrelid = v_constraint.child and a.attname = any (v_set_columns)
                    loop
                        v_default := null;
                        if v_action = 'd' and v_column.default_expression is not null then
                            execute format('select case when v is not null then format(''%%s'', v) end from (select %s) as d (v)',
                                           v_column.default_expression)
                            into v_default;
                        end if;
                        v_values := v_values operator(@extschema:hstore@.||) @extschema:hstore@.hstore(v_column.attname::text, v_default);
                    end loop;
                end if;
            end if;

            if v_kind = 'foreign_key_restore' then
                -- what one child needs takes away what another one needs: then the change that began it is held
                select coalesce(i.row_id, c.row_id, v_cause_row_id, -1) into v_again_row_id
                from pg_temp.lizsync_found_conflicts as c
                left join pg_temp.lizsync_incoming as i
                    on i.batch = 0 and i.state = 'a' and i.action <> 'D'
                    and (i.schema_name, i.table_name, i.uid) = (c.schema_name, c.table_name, c.uid)
                where c.kind = v_kind
                  and (c.schema_name, c.table_name, c.uid) = (v_target.f1, v_target.f2, v_target.f3)
                  and not exists (
                      select from lizsync.staged_changes as s
                      where s.sync_id = p_sync_id and s.batch = p_batch + 1
                        and (s.schema_name, s.table_name, s.uid) = (c.schema_name, c.table_name, c.uid))
                limit 1;
                if found then
                    v_message := format('key (%s) and another one are both needed in table %I.%I (constraint %I)',
                        v_orphan.key_values, v_constraint.parent_schema, v_constraint.parent_table, v_constraint.conname);
                    v_to_hold := v_to_hold || v_again_row_id;
                    continue;
                end if;
            end if;

            if v_kind <> 'foreign_key_restore' and v_constraint.child_relation_id is null then
                perform lizsync.repair_local_child(v_constraint.child, v_orphan.child_ctid, v_kind, v_values);
            elsif not exists (
                select from lizsync.staged_changes as s
                where s.sync_id = p_sync_id and s.batch = p_batch + 1 and (s.schema_name, s.table_name, s.uid) = (v_target.f1, v_target.f2, v_target.f3)
                  and v_kind = 'foreign_key_restore'
            ) then
                insert into lizsync.staged_changes (
                    sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values, batch
                )
                values (
                    p_sync_id, v_target.f1, v_target.f2, v_target.f3,
                    case
                        when v_kind = 'foreign_key_cascade' then 'D'
                        when v_kind = 'foreign_key_restore' and v_lost.action = 'D' then 'I'
                        else 'U'
                    end,
                    lizsync.server_id(),
                    -- the values of a row that came back win against nothing
                    case v_kind when 'foreign_key_restore' then '-infinity' else clock_timestamp() end,
                    case v_kind when 'foreign_key_restore' then '-infinity'::timestamp with time zone end,
                    case v_kind when 'foreign_key_cascade' then null else v_values end,
                    p_batch + 1
                );
                insert into pg_temp.lizsync_found_conflicts (
                    row_id, schema_name, table_name, uid, kind, winner_server_id, winning_values, losing_values
                )
                values (
                    v_cause_row_id, v_target.f1, v_target.f2, v_target.f3, v_kind, lizsync.server_id(),
                    case v_kind when 'foreign_key_cascade' then null else v_values end, v_orphan.key_values
                );
            end if;
            v_staged := true;
        end loop;
    end loop;

    if v_to_hold <> '{}' then
        -- rolls back to where the batch was not applied; lizsync.apply_changes goes on without these rows
        raise exception using errcode = 'LZ100', message = v_message, detail = v_to_hold::text;
    end if;
    return v_staged;
end
$function$;

comment on function lizsync.repair_foreign_keys(uuid, integer, bigint) is
    'Finds foreign keys that a batch broke and stages the next batch, which repairs them; returns whether there is one.';
