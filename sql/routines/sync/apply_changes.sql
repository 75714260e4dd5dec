create or replace function lizsync.apply_changes(
    p_sync_id uuid,
    p_sender_id uuid,
    p_from pg_snapshot,
    p_to pg_snapshot,
    p_sender_position pg_snapshot,
    p_clock_shift interval,
    p_scope jsonb
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set session_replication_role = replica
set row_security = off
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
set lc_monetary = 'C'
set jit = off
-- workers take longer to start than anything here that they may do
set max_parallel_workers_per_gather = 0
set work_mem = '64MB'
as $function$
-- Everything happens in the caller's transaction: the data, its log, the position, conflicts and held changes. It runs
-- read committed: rows are locked first, then a new statement looks for conflicts, so that a concurrent writer has
-- either committed and is seen, or waits.
-- p_scope: the tables that are synchronised (null: all), and for tables that were synchronised without the others how far
-- they were before (from_ahead, beside p_from) and how far the sender has them (sender_ahead, beside p_sender_position).
declare
    v_tables constant jsonb := nullif(p_scope -> 'tables', 'null');
    v_sender_ahead constant jsonb := coalesce(p_scope -> 'sender_ahead', '[]');
    v_position constant pg_snapshot := case when v_tables is null and p_to is not null then p_to else p_from end;
    v_link record;
    v_has_held boolean;
    v_carefully boolean;
    v_is_locking boolean;
    v_as_supposed boolean;
    v_pruned record;
    v_relation record;
    v_held_position pg_snapshot;
    v_rows bigint := 0;
    v_conflicts bigint := 0;
    v_held bigint;
    v_first_event_id bigint;
    v_batch integer;
    v_batch_rows integer;
    v_to_hold integer[];
    v_message text;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using
            errcode = 'LZ002',
            message = format('synchronisation needs a read committed transaction, this one is %s', current_setting('transaction_isolation')),
            hint = 'Run it outside of a transaction, or after BEGIN ISOLATION LEVEL READ COMMITTED.';
    end if;
    if pg_trigger_depth() > 0 then
        raise exception using
            errcode = 'LZ002',
            message = 'synchronisation cannot run inside a trigger',
            hint = 'Call lizsync.synchronize() from a session or a scheduled job.';
    end if;

    select l.* into v_link from lizsync.links as l where l.peer_id = p_sender_id for update;
    if not found then
        raise exception using
            errcode = 'LZ001',
            message = format('server %s has no link to %s', lizsync.server_id(), p_sender_id),
            hint = 'Deploy a package of the central to the clone.';
    end if;
    if v_link.position::text <> p_from::text
       or lizsync.ahead_positions(p_sender_id) <> coalesce(p_scope -> 'from_ahead', '[]') then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link went on in the meantime',
            detail = format('The changes were taken from position %s, the link is at %s.', p_from, v_link.position),
            hint = 'Nothing was lost; synchronise again.';
    end if;

    v_has_held := exists (
        select from lizsync.held_changes as h
        where h.peer_id = p_sender_id and lizsync.names_table(v_tables, h.schema_name, h.table_name));
    if v_has_held or exists (select from lizsync.staged_changes as s where s.sync_id = p_sync_id) then

        perform lizsync.start_incoming();
        perform lizsync.add_incoming_relations(p_sync_id, 0);
        select format('%I.%I', d.schema_name, d.table_name) into v_message
        from pg_temp.lizsync_incoming_relations as d
        where not exists (
            select from lizsync.link_relations as r
            join audit.logged_relations as a using (schema_name, table_name)
            where r.peer_id = p_sender_id and r.schema_name = d.schema_name and r.table_name = d.table_name)
        limit 1;
        if found then
            raise exception using
                errcode = 'LZ001',
                message = format('the other server sent changes of %s, which this link does not synchronise', v_message),
                hint = 'Make a new package and deploy it.';
        end if;

        if v_has_held then
            perform lizsync.add_held_changes(p_sync_id, p_sender_id, v_tables);
            perform lizsync.add_incoming_relations(p_sync_id, 0);
        end if;
        perform lizsync.add_incoming_batch(p_sync_id, 0, p_sender_id);

        if v_has_held then
            -- a held change is no echo when it succeeds at last: the sender may have got another value from here since then
            -- (as a replica, PostgreSQL does not cascade a delete)
            delete from lizsync.held_change_parts as p using lizsync.held_changes as h
            where h.peer_id = p_sender_id and p.held_id = h.held_id
              and lizsync.names_table(v_tables, h.schema_name, h.table_name);
            with tried_again as (
                delete from lizsync.held_changes as h
                where h.peer_id = p_sender_id and lizsync.names_table(v_tables, h.schema_name, h.table_name)
                returning *
            )
            update pg_temp.lizsync_incoming as i
            set received_from = null, held_id = h.held_id, held_since = h.held_since, held_position = h.held_position,
                held_sqlstate = h.sqlstate
            from tried_again as h
            where i.schema_name = h.schema_name and i.table_name = h.table_name and i.uid = h.uid;
        end if;

        v_first_event_id := nextval('audit.event_id_sequence');
        -- Nearly always all rows can be applied at once, and everything below happens in one subtransaction. It begins again
        -- when that fails: carefully, with a subtransaction for each attempt, or without the rows that are to be held.
        v_carefully := v_has_held;
        loop
            begin
                v_is_locking := true;
                v_as_supposed := lizsync.lock_rows(0, v_carefully);
                v_is_locking := false;

                perform lizsync.resolve_conflicts(p_sender_id, p_sender_position, v_sender_ahead, p_clock_shift, false);
                for v_held_position in
                    select distinct i.held_position from pg_temp.lizsync_incoming as i where v_has_held and i.held_position is not null
                loop
                    perform lizsync.resolve_conflicts(p_sender_id, v_held_position, '[]', p_clock_shift, true);
                end loop;

                if v_as_supposed is not true then
                    update pg_temp.lizsync_incoming as i set state = 's' where i.action = 'D' and not i.exists_here;
                    update pg_temp.lizsync_incoming as i
                    set state = 'h', sqlstate = 'LZ003', message = 'the row to update is not there, and it was not deleted here'
                    where i.action = 'U' and not i.exists_here and i.state = 'a';
                end if;

                -- what was changed here since the sender's position may have been removed from the log (lizsync.prune_central): then
                -- nobody can say any more whether an older change of the sender lost
                select m.pruned_before, m.pruned_until into v_pruned from lizsync.server_metadata as m;
                if v_has_held or pg_snapshot_xmin(p_sender_position) < v_pruned.pruned_before then
                    update pg_temp.lizsync_incoming as i
                    set state = 'h', sqlstate = 'LZ003',
                        message = 'the log does not say any more what was changed here before, so which change is the later one is not known'
                    where i.state = 'a' and i.action <> 'D' and i.exists_here
                      and pg_snapshot_xmin(coalesce(i.held_position::pg_snapshot, p_sender_position)) < v_pruned.pruned_before
                      and coalesce(i.corrected_at, i.changed_at) <= v_pruned.pruned_until;
                end if;

                v_rows := 0;
                v_batch := 0;
                loop
                    for v_relation in
                        select r.* from pg_temp.lizsync_incoming_relations as r
                        where r.batch = v_batch
                        order by r.schema_name, r.table_name
                    loop
                        v_rows := v_rows + case
                            when v_carefully
                                then lizsync.apply_relation(v_relation.relation, v_relation.first_row, v_relation.last_row + 1)
                            else lizsync.apply_rows(v_relation.relation, v_relation.first_row, v_relation.last_row + 1, false)
                        end;
                    end loop;

                    -- what foreign keys ask for can't be held by itself: then the row that caused it is
                    select array_agg(coalesce(i.cause_row_id, -1)), min(i.message) into v_to_hold, v_message
                    from pg_temp.lizsync_incoming as i
                    where i.batch = v_batch and v_batch > 0 and i.state = 'h';
                    if v_to_hold is not null then
                        raise exception using errcode = 'LZ100', message = v_message, detail = v_to_hold::text;
                    end if;

                    exit when not lizsync.repair_foreign_keys(
                        p_sync_id, v_batch, v_first_event_id, p_sender_id,
                        case when p_to is not null then p_sender_position end, v_sender_ahead);
                    v_batch := v_batch + 1;
                    perform lizsync.add_incoming_relations(p_sync_id, v_batch);
                    v_batch_rows := lizsync.add_incoming_batch(p_sync_id, v_batch, p_sender_id);
                    exit when v_batch_rows = 0;
                    update pg_temp.lizsync_incoming as i
                    set cause_row_id = c.row_id
                    from pg_temp.lizsync_found_conflicts as c
                    where i.batch = v_batch and c.kind like 'foreign_key%'
                      and (c.schema_name, c.table_name, c.uid) = (i.schema_name, i.table_name, i.uid);
                    perform lizsync.lock_rows(v_batch, v_carefully);
                    perform lizsync.check_repairs(v_batch);
                end loop;
                exit;
            exception
                when sqlstate 'LZ100' then
                    get stacked diagnostics v_message = pg_exception_detail;
                    v_to_hold := v_message::integer[];
                    v_message := sqlerrm;
                when others then
                    if v_carefully or not (lizsync.is_row_error(sqlstate) or (v_is_locking and sqlstate = '55P03')) then
                        raise;
                    end if;
                    v_carefully := true;
                    v_to_hold := '{}';
            end;
            if -1 = any (v_to_hold) then
                raise exception using
                    errcode = 'LZ001',
                    message = format('a foreign key cannot be kept: %s', v_message),
                    hint = 'Repair the rows in this server, then synchronise again.';
            end if;
            update pg_temp.lizsync_incoming as i
            set state = 'h', sqlstate = coalesce(i.sqlstate, '23503'), message = coalesce(i.message, v_message)
            where i.row_id = any (v_to_hold);
        end loop;

        with held as (
            insert into lizsync.held_changes as h (
                held_id, peer_id, schema_name, table_name, uid, sqlstate, message, held_since, held_position
            )
            -- a person may be about to discard it by the number that was shown
            overriding system value
            select
                coalesce(i.held_id, nextval(pg_get_serial_sequence('lizsync.held_changes', 'held_id'))),
                p_sender_id, i.schema_name, i.table_name, i.uid, i.sqlstate, i.message,
                coalesce(i.held_since, clock_timestamp()),
                coalesce(i.held_position::pg_snapshot, a.position, p_sender_position)
            from pg_temp.lizsync_incoming as i
            left join jsonb_to_recordset(v_sender_ahead) as a (schema_name text, table_name text, position pg_snapshot)
                using (schema_name, table_name)
            where i.batch = 0 and i.state = 'h'
            returning h.held_id, h.schema_name, h.table_name, h.uid
        )
        insert into lizsync.held_change_parts (held_id, action, origin_server_id, changed_at, corrected_at, new_values)
        select h.held_id, s.action, s.origin_server_id, s.changed_at, s.corrected_at, s.new_values
        from held as h
        join pg_temp.lizsync_incoming as i
            on i.batch = 0 and i.schema_name = h.schema_name and i.table_name = h.table_name and i.uid = h.uid
        join pg_temp.lizsync_writers as s on s.row_id = i.row_id;

        insert into lizsync.conflicts (
            sync_id, peer_id, schema_name, table_name, uid, kind, winner_server_id, loser_server_id,
            winner_changed_at, loser_changed_at, winning_values, losing_values
        )
        select
            p_sync_id, p_sender_id, c.schema_name, c.table_name, c.uid, c.kind, c.winner_server_id, c.loser_server_id,
            c.winner_changed_at, c.loser_changed_at, c.winning_values, c.losing_values
        from pg_temp.lizsync_found_conflicts as c
        left join pg_temp.lizsync_incoming as i on i.row_id = c.row_id
        where i.state is distinct from 'h';
        get diagnostics v_conflicts = row_count;

        drop view pg_temp.lizsync_writers;
        drop table pg_temp.lizsync_incoming, pg_temp.lizsync_incoming_relations, pg_temp.lizsync_incoming_parts, pg_temp.lizsync_found_conflicts;
    end if;

    update lizsync.links as l
    set position = v_position,
        peer_position = p_sender_position,
        last_synchronised_at = clock_timestamp()
    where l.peer_id = p_sender_id;
    update lizsync.link_relations as r
    set position = case when v_tables is not null then p_to end
    where r.peer_id = p_sender_id
      and p_to is not null
      and (r.position is not null or v_tables is not null)
      and lizsync.names_table(v_tables, r.schema_name, r.table_name);

    select count(*) into v_held from lizsync.held_changes as h where h.peer_id = p_sender_id;
    return jsonb_build_object(
        'rows', v_rows, 'conflicts', v_conflicts, 'held', v_held,
        'position', v_position, 'ahead', lizsync.ahead_positions(p_sender_id));
end
$function$;

comment on function lizsync.apply_changes(uuid, uuid, pg_snapshot, pg_snapshot, pg_snapshot, interval, jsonb) is
    'Applies what p_sender_id delivered under p_sync_id, moves the link from position p_from to p_to (null: nothing was delivered, what is held is tried again). p_sender_position: what '
    'the sender has of this server''s log. Returns rows changed here, conflicts found, changes held, and how far the link is now.';
