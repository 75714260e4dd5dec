create or replace function lizsync.await_flush()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A crash of a server takes what it has not written to disk, and its transaction ids are given out again. What the other side
-- notes of this server, positions above all, must outlive that: everything that is visible now is written before.
-- Nearly always it is already. A flush can be asked for since PostgreSQL 17; before, the WAL writer does it as soon as its
-- page is full, within moments on a server that works and five seconds on one that sleeps.
declare
    v_written constant pg_lsn := pg_current_wal_insert_lsn();
    v_give_up_at constant timestamp with time zone := clock_timestamp() + interval '60 s';
begin
    if pg_current_wal_flush_lsn() >= v_written then
        return;
    end if;
    if current_setting('server_version_num')::integer >= 170000 then
        execute $sql$select pg_logical_emit_message(false, 'lizsync', '', true)$sql$;
        return;
    end if;
    perform pg_logical_emit_message(false, 'lizsync', repeat(' ', current_setting('wal_block_size')::integer));
    while pg_current_wal_flush_lsn() < v_written loop
        if clock_timestamp() > v_give_up_at then
            raise exception using
                errcode = 'LZ002',
                message = 'the server does not write its log of transactions to disk',
                hint = 'Look for a full or failing disk, and at wal_writer_delay. Nothing was lost; synchronise again.';
        end if;
        perform pg_sleep(0.005);
    end loop;
end
$function$;

comment on function lizsync.await_flush() is
    'Returns when everything that is visible now, and what this transaction has written so far, outlives a crash; LZ002 after a minute.';
