create or replace function lizsync.add_incoming_batch(p_sync_id uuid, p_batch integer, p_received_from uuid)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A clone speaks for itself only, and nothing happens later than now: whatever a clone claims, the central notes it as the
-- origin, and takes no time of the future.
declare
    v_is_central constant boolean := (select m.server_role = 'central' from lizsync.server_metadata as m);
    v_origin_server_id constant uuid := case when v_is_central then p_received_from end;
    v_latest constant timestamp with time zone := case when v_is_central then clock_timestamp() else 'infinity' end;
    v_rows integer;
begin
    -- freshly copied rows have no statistics, and a plan for a handful of rows takes hours for a hundred thousand
    analyze lizsync.staged_changes (sync_id, schema_name, table_name, uid, batch);

    insert into pg_temp.lizsync_incoming (
        batch, relation, schema_name, table_name, uid, action, new_values, several_parts, origin_server_id, changed_at,
        corrected_at, received_from
    )
    select
        p_batch, t.relation, s.schema_name, s.table_name, s.uid, s.action,
        s.new_values, s.several_parts, s.origin_server_id, s.changed_at, s.corrected_at, p_received_from
    from (
        select
            p.schema_name, p.table_name, p.uid,
            (case when bool_or(p.action = 'D') then 'D' when bool_or(p.action = 'I') then 'I' else 'U' end)::"char" as action,
            lizsync.merge_values(p.new_values) as new_values,
            count(*) > 1 as several_parts,
            -- of a single part, the only one
            (array_agg(p.origin_server_id))[1] as origin_server_id,
            min(p.changed_at) as changed_at,
            min(least(p.corrected_at, v_latest)) as corrected_at
        from (
            select
                r.schema_name, r.table_name, r.uid, r.action, r.new_values, r.changed_at, r.corrected_at,
                coalesce(v_origin_server_id, r.origin_server_id) as origin_server_id
            from lizsync.staged_changes as r
            where r.sync_id = p_sync_id and r.batch = p_batch
        ) as p
        group by p.schema_name, p.table_name, p.uid
        order by p.schema_name, p.table_name, p.uid
        offset 0
    ) as s
    join (
        select distinct p.schema_name, p.table_name, format('%I.%I', p.schema_name, p.table_name)::regclass as relation
        from lizsync.staged_changes as p
        where p.sync_id = p_sync_id and p.batch = p_batch
        offset 0
    ) as t using (schema_name, table_name);
    get diagnostics v_rows = row_count;

    if exists (select from pg_temp.lizsync_incoming as i where i.batch = p_batch and i.several_parts) then
        insert into pg_temp.lizsync_incoming_parts (row_id, action, origin_server_id, changed_at, corrected_at, new_values)
        select
            i.row_id, p.action, coalesce(v_origin_server_id, p.origin_server_id), p.changed_at,
            least(p.corrected_at, v_latest), p.new_values
        from pg_temp.lizsync_incoming as i
        join lizsync.staged_changes as p
            on p.schema_name = i.schema_name and p.table_name = i.table_name and p.uid = i.uid
        where i.batch = p_batch and i.several_parts and p.sync_id = p_sync_id and p.batch = p_batch;
    end if;

    delete from lizsync.staged_changes as p where p.sync_id = p_sync_id and p.batch = p_batch;
    analyze pg_temp.lizsync_incoming, pg_temp.lizsync_incoming_parts;
    return v_rows;
end
$function$;

comment on function lizsync.add_incoming_batch(uuid, integer, uuid) is
    'Brings the staged parts of a batch together, one row in lizsync_incoming for each row to apply; returns how many.';
