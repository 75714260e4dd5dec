create or replace function lizsync.synchronize(p_tables text[] default null)
returns table (
    number_replayed_to_central bigint,
    number_replayed_to_clone bigint,
    number_conflicts bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- The steps of the command line, with dblink as the line. What the caller has not committed is not sent. When the caller
-- rolls back, what the central has received stays there, and the next sync goes on from that.
declare
    v_connection constant text := 'lizsync_central';
    v_server_id uuid;
    v_clone jsonb;
    v_central jsonb;
    v_central_id uuid;
    v_begun jsonb;
    v_details jsonb;
    v_asked_at timestamp with time zone;
    v_answered_at timestamp with time zone;
    v_clock_offset_ms double precision;
    v_position pg_snapshot;
    v_delivery jsonb;
    v_chunk record;
    v_push jsonb;
    v_pull jsonb;
begin
    if pg_xact_status((select lizsync.row_transaction(l.xmin) from lizsync.links as l limit 1)) = 'in progress' then
        raise exception using
            errcode = 'LZ002',
            message = 'this transaction has already synchronised',
            hint = 'Commit before you synchronise again.';
    end if;
    v_clone := lizsync.get_clone_state(p_tables);
    v_server_id := (v_clone ->> 'server_id')::uuid;
    v_central_id := (v_clone ->> 'central_id')::uuid;

    -- left over when an earlier call was cancelled
    if v_connection = any (@extschema:dblink@.dblink_get_connections()) then
        perform @extschema:dblink@.dblink_disconnect(v_connection);
    end if;
    perform @extschema:dblink@.dblink_connect(v_connection, 'lizsync_central');

    begin
        v_asked_at := clock_timestamp();
        v_central := lizsync.ask_central(v_connection, format('select lizsync.open_sync(%L)', v_clone));
        v_answered_at := clock_timestamp();

        if v_central -> 'different_tables' <> '[]' then
            perform lizsync.check_same_structure(
                lizsync.describe_columns(v_central_id, array(select jsonb_array_elements_text(v_central -> 'different_tables'))),
                lizsync.ask_central(v_connection, format('select lizsync.describe_columns(%L, %L)', v_server_id,
                    array(select jsonb_array_elements_text(v_central -> 'different_tables')))));
        end if;

        v_begun := lizsync.begin_sync(
            v_central,
            1000 * (extract(epoch from v_asked_at + (v_answered_at - v_asked_at) / 2) - (v_central ->> 'clock')::numeric),
            500 * extract(epoch from v_answered_at - v_asked_at));
        v_clock_offset_ms := (v_begun ->> 'clock_offset_ms')::double precision;
        v_details := jsonb_build_object(
            'transport', 'sql', 'clock_offset_ms', v_clock_offset_ms, 'transaction_id', v_begun ->> 'transaction_id',
            'sequences', v_begun -> 'sequences');

        -- push
        -- a row that somebody keeps locked there must end in an error: dblink does not listen while it waits
        perform @extschema:dblink@.dblink_exec(
            v_connection, $sql$begin isolation level read committed; set local lock_timeout = '60s'$sql$);
        for v_chunk in
            select * from lizsync.outgoing_chunks(
                v_central_id, (v_central ->> 'position')::pg_snapshot, v_central -> 'ahead', nullif(v_clone -> 'tables', 'null'),
                make_interval(secs => - v_clock_offset_ms / 1000))
        loop
            v_position := v_chunk.current_position;
            if v_chunk.rows is not null then
                perform lizsync.ask_central(v_connection, format(
                    'select lizsync.stage_changes(%L, %s)', v_begun ->> 'sync_id', v_chunk.rows));
            end if;
        end loop;
        -- neither what was sent nor the number of this transaction may be forgotten here once the central has them
        perform lizsync.await_flush();
        v_push := lizsync.ask_central(v_connection, format(
            'select lizsync.receive_changes(%L, %L, %L, %L, %L, %L)',
            v_begun ->> 'sync_id', v_server_id, v_central ->> 'position', v_position, v_clone ->> 'position',
            v_details || jsonb_build_object('scope', jsonb_build_object(
                'tables', v_clone -> 'tables', 'from_ahead', v_central -> 'ahead', 'sender_ahead', v_clone -> 'ahead'))));
        perform @extschema:dblink@.dblink_exec(v_connection, 'commit');

        -- pull
        perform @extschema:dblink@.dblink_exec(
            v_connection, $sql$begin isolation level repeatable read; set local datestyle = 'ISO, YMD'$sql$);
        v_delivery := lizsync.ask_central(v_connection, format(
            'select lizsync.start_delivery(%L, %L, %L)', v_begun ->> 'sync_id', v_server_id, v_clone ->> 'position'));
        if (v_delivery ->> 'has_changes')::boolean then
            insert into lizsync.staged_changes (
                sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values
            )
            select
                (v_begun ->> 'sync_id')::uuid, r.schema_name, r.table_name, r.uid, r.action::"char", r.origin_server_id,
                r.changed_at, r.corrected_at, r.new_values
            from @extschema:dblink@.dblink(v_connection, format(
                'select schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values '
                'from lizsync.outgoing_changes(%L, %L, %L, %L, ''0'')',
                v_server_id, v_clone ->> 'position', v_clone -> 'ahead', nullif(v_clone -> 'tables', 'null')
            )) as r (
                schema_name text, table_name text, uid uuid, action text, origin_server_id uuid,
                changed_at timestamp with time zone, corrected_at timestamp with time zone, new_values @extschema:hstore@.hstore
            );
        end if;
        v_pull := lizsync.receive_changes(
            (v_begun ->> 'sync_id')::uuid, v_central_id, (v_clone ->> 'position')::pg_snapshot,
            (v_delivery ->> 'position')::pg_snapshot, (v_push ->> 'position')::pg_snapshot,
            v_details || jsonb_build_object('push', v_push, 'scope', jsonb_build_object(
                'tables', v_clone -> 'tables', 'from_ahead', v_clone -> 'ahead', 'sender_ahead', v_push -> 'ahead')));
        perform @extschema:dblink@.dblink_exec(v_connection, 'commit');
    -- others does not stand for a cancelled statement, and the central would keep its transaction and its locks
    exception when others or query_canceled then
        perform @extschema:dblink@.dblink_disconnect(v_connection);
        raise;
    end;
    perform @extschema:dblink@.dblink_disconnect(v_connection);

    if (v_push ->> 'held')::integer + (v_pull ->> 'held')::integer > 0 then
        raise warning using
            message = format('%s changes could not be applied in the central and %s in this clone; they are held and tried again at each sync',
                             v_push ->> 'held', v_pull ->> 'held'),
            hint = 'lizsync held lists them and says why; so does the table lizsync.held_changes there.';
    end if;
    return query select
        (v_push ->> 'rows')::bigint, (v_pull ->> 'rows')::bigint,
        (v_push ->> 'conflicts')::bigint + (v_pull ->> 'conflicts')::bigint;
end
$function$;

comment on function lizsync.synchronize(text[]) is
    'Synchronises this clone with its central, both ways (p_tables: only these, named as in SQL; null: all): rows changed in the central, rows changed here, conflicts.';
