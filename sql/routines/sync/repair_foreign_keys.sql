create or replace function lizsync.repair_foreign_keys(
    p_sync_id uuid,
    p_batch integer,
    p_after_event_id bigint,
    p_sender_id uuid,
    p_sender_position pg_snapshot,
    p_sender_ahead jsonb
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A parent was deleted (or got another key) on one side and a child was added on the other: the constraint's own action
-- decides, as it would have in one database. What is decided here is staged as the next batch, a local change that
-- travels like any other.
-- That is so for what the other side could not know. A sender that had seen the loss of the parent, or made it, and sends a
-- child with its key means another row, which has taken the key over and has not arrived: its table was left out, or it is
-- held. Then the child waits for it: it is held. And a sender that deletes a parent, knowing the child here, has deleted
-- the child or given it another parent before, which has not arrived either: then the parent waits, as it was.
declare
    v_relations oid[];
    v_constraint record;
    v_orphan record;
    v_received record;
    v_sender_knows_children boolean;
    v_child_came_back boolean;
    v_child_position pg_snapshot;
    v_parent_position pg_snapshot;
    v_position pg_snapshot;
    v_parent_row_id integer;
    v_key_values @extschema:hstore@.hstore;
    v_parent_uid uuid;
    v_key_here @extschema:hstore@.hstore;
    v_parent_is_held boolean;
    v_parent_before @extschema:hstore@.hstore;
    v_on_loss "char";
    v_set_columns text[];
    v_set_values @extschema:hstore@.hstore;
    v_kind text;
    v_action "char";
    v_target record;
    v_values @extschema:hstore@.hstore;
    v_losing_values @extschema:hstore@.hstore;
    v_cause_row_id integer;
    v_other_cause_row_id integer;
    v_to_hold integer[] := '{}';
    v_parents_to_hold integer[] := '{}';
    v_message text;
    v_parent_message text;
    v_staged boolean := false;
begin
    v_relations := array(
        select r.relation::oid from pg_temp.lizsync_incoming_relations as r where r.batch = p_batch);
    for v_constraint in
        select k.*
        from lizsync.foreign_keys(array(
            select c.oid
            from pg_constraint as c
            where c.contype = 'f' and c.conparentid = 0 and (c.conrelid = any (v_relations) or c.confrelid = any (v_relations))
        )) as k
        order by k.constraint_oid
    loop
        -- of a table that the link does not synchronise the sender learns nothing, ...
        select
            coalesce(bool_or((r.schema_name, r.table_name) = (v_constraint.child_schema, v_constraint.child_table)), false)
            -- ... nor of columns that are not logged
            and v_constraint.child_columns <@ lizsync.synchronised_columns(v_constraint.child_schema, v_constraint.child_table)::text[],
            case when bool_or((r.schema_name, r.table_name) = (v_constraint.parent_schema, v_constraint.parent_table))
                then p_sender_position else '1:1:' end
        into v_sender_knows_children, v_parent_position
        from lizsync.link_relations as r
        where r.peer_id = p_sender_id;
        v_parent_position := coalesce((
            select a.position
            from jsonb_to_recordset(p_sender_ahead) as a (schema_name text, table_name text, position pg_snapshot)
            where (a.schema_name, a.table_name) = (v_constraint.parent_schema, v_constraint.parent_table)
        ), v_parent_position);
        v_child_position := coalesce((
            select a.position
            from jsonb_to_recordset(p_sender_ahead) as a (schema_name text, table_name text, position pg_snapshot)
            where (a.schema_name, a.table_name) = (v_constraint.child_schema, v_constraint.child_table)
        ), p_sender_position);

        for v_orphan in
            select distinct o.child_uid, o.child_table, o.child_ctid, o.key_values
            from lizsync.find_orphans(v_constraint.constraint_oid, p_batch, p_after_event_id) as o
        loop
            select @extschema:hstore@.hstore(array_agg(k.parent_column), array_agg(v_orphan.key_values operator(@extschema:hstore@.->) k.child_column))
            into v_key_values
            from unnest(v_constraint.parent_columns, v_constraint.child_columns) as k (parent_column, child_column);

            select
                i.row_id, i.held_position, i.held_sqlstate,
                not i.exists_here
                or @extschema:hstore@.exists_any(coalesce(i.remaining_values, i.new_values), v_constraint.child_columns) as has_key
            into v_received
            from pg_temp.lizsync_incoming as i
            where i.relation = v_constraint.child and i.uid = v_orphan.child_uid and i.batch = 0 and i.state = 'a' and i.action <> 'D'
            limit 1;
            v_cause_row_id := v_received.row_id;
            if v_cause_row_id is null and p_batch > 0 then
                select i.cause_row_id into v_cause_row_id
                from pg_temp.lizsync_incoming as i
                where i.relation = v_constraint.child and i.uid = v_orphan.child_uid and i.batch = p_batch
                limit 1;
            end if;

            -- an earlier batch has brought the child back
            v_child_came_back := exists (
                select from pg_temp.lizsync_found_conflicts as c
                where c.kind = 'foreign_key_restore'
                  and (c.schema_name, c.table_name, c.uid) = (v_constraint.child_schema, v_constraint.child_table, v_orphan.child_uid)
            );

            -- What became of the parent: it has another key here, or it was deleted. Who sent the child had not seen what is
            -- outside of its position; when the child was held, of the one it had then. (What is held for lack of a parent
            -- was found to be made by somebody who had seen its loss.) A child that was here has just lost its parent. One that
            -- came back with the key that it had here lost it when it was deleted itself, or later, whatever the sender has seen of
            -- that: it may hold it.
            v_position := case
                when v_child_came_back and not exists (
                    select from pg_temp.lizsync_incoming as i
                    where i.relation = v_constraint.child and i.uid = v_orphan.child_uid and i.batch = 0 and i.action <> 'D'
                      and @extschema:hstore@.exists_any(i.new_values, v_constraint.child_columns)
                ) then coalesce((
                    select i.held_position::pg_snapshot from pg_temp.lizsync_incoming as i where i.row_id = v_cause_row_id
                ), v_child_position, '1:1:')
                when v_received.has_key and v_received.held_sqlstate is distinct from '23503'
                    then coalesce(v_received.held_position::pg_snapshot, v_parent_position)
                when v_received.has_key then v_parent_position
                when p_batch = 0 then lizsync.current_position()
                else coalesce(v_parent_position, '1:1:')
            end;
            v_parent_uid := lizsync.find_lost_parent(
                v_constraint.parent_relation_id, v_key_values, v_position, case when v_received.has_key then p_sender_id end);
            execute format('select (select @extschema:hstore@.hstore(k.*) from (select %s) as k) from %s as p where p.uid = $1',
                (select string_agg(format('p.%I', k.column_name), ', ') from unnest(v_constraint.parent_columns) as k (column_name)),
                v_constraint.parent)
            into v_key_here
            using v_parent_uid;
            v_parent_before := case when v_key_here is null then (
                select l.old_values
                from audit.logged_actions as l
                where l.transaction_id >= pg_snapshot_xmin(v_position)
                  and l.relation_id = v_constraint.parent_relation_id and l.uid = v_parent_uid and l.action = 'D'
                order by l.event_id desc
                limit 1
            ) end;

            -- a row with that key has arrived and is held: it is the parent, whatever had the key before
            v_parent_is_held := (v_received.row_id is not null or v_child_came_back) and exists (
                select from pg_temp.lizsync_incoming as i
                where i.relation = v_constraint.parent and i.state = 'h' and i.action <> 'D'
                  and i.new_values operator(@extschema:hstore@.@>) v_key_values
            );

            if v_parent_is_held or (v_key_here is null and v_parent_before is null) then
                if v_cause_row_id is null then
                    raise exception using
                        errcode = 'LZ001',
                        message = format('a row of %I.%I has no parent in %I.%I (constraint %I, key %s)',
                            v_constraint.child_schema, v_constraint.child_table, v_constraint.parent_schema,
                            v_constraint.parent_table, v_constraint.constraint_name, v_orphan.key_values),
                        hint = 'Repair the row or its parent in this server, then synchronise again.';
                end if;
                v_message := format('key (%s) is not present in table %I.%I (constraint %I)',
                    v_orphan.key_values, v_constraint.parent_schema, v_constraint.parent_table, v_constraint.constraint_name);
                v_to_hold := v_to_hold || v_cause_row_id;
                continue;
            end if;

            -- the sender took the parent away from a child that it knew
            if p_batch = 0 and v_received.has_key is not true and v_constraint.child_relation_id is not null and v_sender_knows_children then
                select i.row_id into v_parent_row_id
                from pg_temp.lizsync_incoming as i
                where i.relation = v_constraint.parent and i.uid = v_parent_uid and i.batch = 0 and i.state = 'a'
                  and not lizsync.is_news(
                      v_constraint.child_relation_id, v_orphan.child_uid, v_constraint.child_columns,
                      coalesce(i.held_position::pg_snapshot, v_child_position), p_sender_id);
                if found then
                    v_parent_message := format('key (%s) is still referenced from table %I.%I (constraint %I)',
                        v_key_values, v_constraint.child_schema, v_constraint.child_table, v_constraint.constraint_name);
                    v_parents_to_hold := v_parents_to_hold || v_parent_row_id;
                    continue;
                end if;
            end if;

            v_on_loss := case when v_key_here is null then v_constraint.on_delete else v_constraint.on_update end;
            v_set_columns := coalesce(case when v_key_here is null then v_constraint.delete_set_columns end, v_constraint.child_columns);
            v_set_values := case v_on_loss
                when 'n' then @extschema:hstore@.hstore(v_set_columns, array_fill(null::text, array[cardinality(v_set_columns)]))
                when 'd' then lizsync.column_defaults(v_constraint.child, v_set_columns)
            end;
            if v_on_loss in ('n', 'd') and not lizsync.is_valid_reference(
                v_constraint.constraint_oid, v_orphan.key_values operator(@extschema:hstore@.||) v_set_values) then
                v_on_loss := 'a';  -- in one database the parent could not have been deleted
            end if;
            if v_on_loss = 'c' and v_key_here is null and v_child_came_back then
                v_on_loss := 'a';  -- the child came back because it may not be deleted; then its parent could not have been either
            end if;

            if v_on_loss in ('a', 'r') then
                v_kind := 'foreign_key_restore';
                v_target := row(v_constraint.parent_schema, v_constraint.parent_table, v_parent_uid);
                if v_key_here is null then
                    -- as it was, plus what arrived for it, with the key that the child has
                    v_action := 'I';
                    v_values := v_parent_before operator(@extschema:hstore@.||) coalesce((
                        select i.new_values
                        from pg_temp.lizsync_incoming as i
                        where i.relation = v_constraint.parent and i.uid = v_parent_uid and i.batch = 0 and i.action <> 'D'
                    ), '') operator(@extschema:hstore@.||) v_key_values;
                else
                    v_action := 'U';
                    v_values := v_key_values;
                end if;
                v_losing_values := v_key_here;
            else
                v_target := row(v_constraint.child_schema, v_constraint.child_table, v_orphan.child_uid);
                if v_on_loss = 'c' and v_key_here is null then
                    v_kind := 'foreign_key_cascade';
                    v_action := 'D';
                    v_values := null;
                    if v_constraint.child_relation_id is not null then
                        execute format('select @extschema:hstore@.slice(@extschema:hstore@.hstore(c.*), $1) from %s as c where c.uid = $2', v_constraint.child)
                        into v_losing_values
                        using lizsync.synchronised_columns(v_constraint.child_schema, v_constraint.child_table), v_orphan.child_uid;
                    end if;
                else
                    v_kind := 'foreign_key_set';
                    v_action := 'U';
                    v_values := coalesce(v_set_values, (
                        select @extschema:hstore@.hstore(array_agg(k.child_column),
                                   array_agg(v_key_here operator(@extschema:hstore@.->) k.parent_column))
                        from unnest(v_constraint.parent_columns, v_constraint.child_columns) as k (parent_column, child_column)
                    ));
                    v_losing_values := @extschema:hstore@.slice(v_orphan.key_values, v_set_columns);
                end if;
            end if;

            if v_kind <> 'foreign_key_restore' and v_constraint.child_relation_id is null then
                perform lizsync.repair_local_child(v_orphan.child_table, v_orphan.child_ctid, v_kind, v_values);
                v_staged := true;
                continue;
            end if;

            if v_kind = 'foreign_key_restore' then
                -- another child has brought the parent back already, ...
                continue when exists (
                    select from lizsync.staged_changes as s
                    where s.sync_id = p_sync_id and s.batch = p_batch + 1
                      and (s.schema_name, s.table_name, s.uid) = (v_target.f1, v_target.f2, v_target.f3)
                      and s.new_values operator(@extschema:hstore@.@>) v_key_values);
                -- ... but with another key: one row can't have both, and the change that began it is held
                select coalesce(i.row_id, c.row_id, v_cause_row_id, -1) into v_other_cause_row_id
                from pg_temp.lizsync_found_conflicts as c
                left join pg_temp.lizsync_incoming as i
                    on i.batch = 0 and i.state = 'a' and i.action <> 'D'
                    and (i.schema_name, i.table_name, i.uid) = (c.schema_name, c.table_name, c.uid)
                where c.kind = v_kind and (c.schema_name, c.table_name, c.uid) = (v_target.f1, v_target.f2, v_target.f3)
                limit 1;
                if found then
                    v_message := format('key (%s) and another one are both needed in table %I.%I (constraint %I)',
                        v_orphan.key_values, v_constraint.parent_schema, v_constraint.parent_table, v_constraint.constraint_name);
                    v_to_hold := v_to_hold || v_other_cause_row_id;
                    continue;
                end if;
            end if;

            insert into lizsync.staged_changes (
                sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values, batch
            )
            values (
                p_sync_id, v_target.f1, v_target.f2, v_target.f3, v_action, lizsync.server_id(),
                -- the values of a row that came back win against nothing
                case v_kind when 'foreign_key_restore' then '-infinity' else clock_timestamp() end,
                case v_kind when 'foreign_key_restore' then '-infinity'::timestamp with time zone end,
                v_values, p_batch + 1
            );
            insert into pg_temp.lizsync_found_conflicts (
                row_id, schema_name, table_name, uid, kind, winner_server_id, winning_values, losing_values, repair_batch,
                child_key
            )
            values (
                v_cause_row_id, v_target.f1, v_target.f2, v_target.f3, v_kind, lizsync.server_id(), v_values, v_losing_values,
                p_batch + 1, case when v_kind <> 'foreign_key_restore' then v_orphan.key_values end
            );
            v_staged := true;
        end loop;
    end loop;

    if v_to_hold = '{}' then
        v_to_hold := v_parents_to_hold;
        v_message := v_parent_message;
    end if;
    if v_to_hold <> '{}' then
        -- rolls back to where the batch was not applied; lizsync.apply_changes goes on without these rows
        raise exception using errcode = 'LZ100', message = v_message, detail = v_to_hold::text;
    end if;
    return v_staged;
end
$function$;

comment on function lizsync.repair_foreign_keys(uuid, integer, bigint, uuid, pg_snapshot, jsonb) is
    'Finds foreign keys that a batch broke and stages the next batch, which repairs them; returns whether there is one. '
    'p_sender_position, p_sender_ahead: what the sender has of this server''s log (null: nothing was delivered, all rows were held).';
