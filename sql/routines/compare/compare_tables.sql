create or replace function lizsync.compare_tables(p_schema_name text default null, p_table_name text default null)
returns table (schema_name text, table_name text, uid uuid, kind text, column_names text[])
language plpgsql
-- all queries of a stable function see the database as it was when the caller's statement began
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_connection constant text := 'lizsync_compare';
    v_table record;
    v_range record;
    v_columns text[];
    v_arguments text;
    v_row_count bigint;
    v_checksum numeric;
    v_range_starts uuid[];
    v_row_counts bigint[];
    v_range_checksums numeric[];
    v_uids uuid[];
    v_row_checksums bigint[];
    v_differing_uids uuid[];
    v_differing_kinds text[];
begin
    perform @extschema:dblink@.dblink_connect(v_connection, 'lizsync_central');
    begin
        perform @extschema:dblink@.dblink_exec(v_connection, 'begin isolation level repeatable read, read only');
        for v_table in
            select r.schema_name, r.table_name
            from lizsync.compared_relations(
                case when p_table_name is null and p_schema_name is not null then array[p_schema_name] end,
                case when p_table_name is not null then array[p_schema_name] end,
                case when p_table_name is not null then array[p_table_name] end
            ) as r
        loop
            v_arguments := format('%L, %L', v_table.schema_name, v_table.table_name);
            select lizsync.check_compared_columns(v_table.schema_name, v_table.table_name, c.columns) into v_columns
            from @extschema:dblink@.dblink(
                v_connection, format('select lizsync.compared_columns(%s)', v_arguments)
            ) as c (columns text[]);
            v_arguments := format('%s, %L::text[]', v_arguments, v_columns);

            select central.row_count, central.checksum into v_row_count, v_checksum
            from @extschema:dblink@.dblink(
                v_connection, format('select * from lizsync.table_checksum(%s)', v_arguments)
            ) as central (row_count bigint, checksum numeric);
            continue when exists (
                select
                from lizsync.table_checksum(v_table.schema_name, v_table.table_name, v_columns) as c
                where c.row_count = v_row_count and c.checksum = v_checksum
            );

            select array_agg(central.range_start), array_agg(central.row_count), array_agg(central.checksum)
            into v_range_starts, v_row_counts, v_range_checksums
            from @extschema:dblink@.dblink(
                v_connection, format('select * from lizsync.range_checksums(%s, %s)', v_arguments, 1000)
            ) as central (range_start uuid, row_count bigint, checksum numeric);
            for v_range in
                select r.range_start, r.range_end
                from lizsync.find_differing_ranges(
                    v_table.schema_name, v_table.table_name, v_columns, v_range_starts, v_row_counts, v_range_checksums
                ) as r
            loop
                select array_agg(central.uid), array_agg(central.checksum) into v_uids, v_row_checksums
                from @extschema:dblink@.dblink(v_connection, format(
                    'select * from lizsync.row_checksums(%s, array[%L]::uuid[], array[%L]::uuid[])',
                    v_arguments, v_range.range_start, v_range.range_end
                )) as central (uid uuid, checksum bigint);

                select array_agg(r.uid), array_agg(r.kind) into v_differing_uids, v_differing_kinds
                from lizsync.find_differing_rows(
                    v_table.schema_name, v_table.table_name, v_columns,
                    array[v_range.range_start], array[v_range.range_end], v_uids, v_row_checksums
                ) as r;

                select array_agg(central.uid), array_agg(central.checksums) into v_uids, v_row_checksums
                from @extschema:dblink@.dblink(v_connection, format(
                    'select * from lizsync.column_checksums(%s, %L::uuid[])',
                    v_arguments,
                    array(
                        select d.uid
                        from unnest(v_differing_uids, v_differing_kinds) as d (uid, kind)
                        where d.kind = 'different'
                    )
                )) as central (uid uuid, checksums bigint[]);

                return query
                select v_table.schema_name, v_table.table_name, d.uid, d.kind, coalesce(c.column_names, '{}')
                from unnest(v_differing_uids, v_differing_kinds) as d (uid, kind)
                left join lizsync.find_differing_columns(
                    v_table.schema_name, v_table.table_name, v_columns, v_uids, v_row_checksums
                ) as c on c.uid = d.uid;
            end loop;
        end loop;
    -- a dblink connection outlives the transaction that opened it
    exception when others or query_canceled then
        perform @extschema:dblink@.dblink_disconnect(v_connection);
        raise;
    end;
    perform @extschema:dblink@.dblink_disconnect(v_connection);
end
$function$;

comment on function lizsync.compare_tables(text, text) is
    'Runs in a clone: the rows of a table, of a schema or of all synchronised tables that differ between the clone and its '
    'central: only_central, only_clone, or different with the columns that differ. No rows: they are equal.';
