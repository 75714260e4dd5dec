create or replace function lizsync.add_incoming_batch(p_sync_id uuid, p_batch integer, p_received_from uuid)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_rows integer;
begin
    insert into pg_temp.lizsync_incoming (
        batch, relation, schema_name, table_name, uid, action, new_values, several_parts, received_from
    )
    select
        p_batch, format('%I.%I', s.schema_name, s.table_name)::regclass, s.schema_name, s.table_name, s.uid, s.action,
        s.new_values, s.several_parts, p_received_from
    from (
        select
            p.schema_name, p.table_name, p.uid,
            (case when bool_or(p.action = 'D') then 'D' when bool_or(p.action = 'I') then 'I' else 'U' end)::"char" as action,
            lizsync.merge_values(p.new_values) as new_values,
            count(*) > 1 as several_parts
        from lizsync.staged_changes as p
        where p.sync_id = p_sync_id and p.batch = p_batch
        group by p.schema_name, p.table_name, p.uid
        order by p.schema_name, p.table_name, p.uid
        offset 0
    ) as s;
    get diagnostics v_rows = row_count;
    analyze pg_temp.lizsync_incoming;
    return v_rows;
end
$function$;

comment on function lizsync.add_incoming_batch(uuid, integer, uuid) is
    'Brings the staged parts of a batch together, one row in lizsync_incoming for each row to apply; returns how many.';
