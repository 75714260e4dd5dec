create or replace function lizsync.add_incoming_batch(p_sync_id uuid, p_batch integer, p_sender_id uuid)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
-- nothing is known of rows that were just copied, and a plan for a handful takes hours for a hundred thousand
set enable_nestloop = off
set enable_mergejoin = off
set enable_sort = off
-- of the working table a small sample says enough
set default_statistics_target = 10
as $function$
declare
    v_rows integer;
begin
    update pg_temp.lizsync_incoming_relations as r
    set relation = format('%I.%I', r.schema_name, r.table_name)::regclass
    where r.batch = p_batch;

    execute format($sql$
        with tables as materialized (
            select
                r.schema_name, r.table_name, r.relation, row_number() over (order by r.schema_name, r.table_name) as position
            from pg_temp.lizsync_incoming_relations as r
            where r.batch = $2
        ), parts as not materialized (
            select p.* from lizsync.staged_parts($1, $2, $3) as p
        ), several as materialized (
            select p.schema_name, p.table_name, p.uid
            from lizsync.staged_changes as p
            where p.sync_id = $1 and p.batch = $2
            group by p.schema_name, p.table_name, p.uid
            having count(*) > 1
        ), incoming as (
            select
                p.schema_name, p.table_name, p.uid, p.action, p.new_values, false as several_parts, p.origin_server_id,
                p.changed_at, p.corrected_at
            from parts as p
            left join several as s
                on s.schema_name = p.schema_name and s.table_name = p.table_name and s.uid = p.uid
            where s.uid is null
            union all
            select
                p.schema_name, p.table_name, p.uid,
                (case when bool_or(p.action = 'D') then 'D' when bool_or(p.action = 'I') then 'I' else 'U' end)::"char",
                lizsync.merge_values(p.new_values), true, null, min(p.changed_at), min(p.corrected_at)
            from parts as p
            join several as s
                on s.schema_name = p.schema_name and s.table_name = p.table_name and s.uid = p.uid
            group by p.schema_name, p.table_name, p.uid
        )
        insert into pg_temp.lizsync_incoming (
            batch, relation, schema_name, table_name, uid, action, new_values, several_parts, origin_server_id, changed_at,
            corrected_at, received_from, exists_here
        )
        select
            $2, t.relation, i.schema_name, i.table_name, i.uid, i.action, i.new_values, i.several_parts, i.origin_server_id,
            i.changed_at, i.corrected_at, case when $2 = 0 then $3 end, i.action <> 'I'
        from incoming as i
        join tables as t using (schema_name, table_name)
        %s$sql$,
        case when (
            select count(*) from pg_temp.lizsync_incoming_relations as r where r.batch = p_batch
        ) > 1 then 'order by t.position' end)
    using p_sync_id, p_batch, p_sender_id;
    get diagnostics v_rows = row_count;
    if p_batch = 0 then
        -- quicker than row by row
        create unique index lizsync_incoming_row_id on pg_temp.lizsync_incoming (row_id);
    end if;
    analyze pg_temp.lizsync_incoming (row_id, batch, relation, uid, action, exists_here, state);

    update pg_temp.lizsync_incoming_relations as r
    set first_row = c.first_row,
        last_row = c.last_row,
        deletes = c.deletes,
        updates = c.updates,
        inserts = c.inserts,
        several_parts = c.several_parts
    from (
        select
            i.relation, min(i.row_id) as first_row, max(i.row_id) as last_row,
            count(*) filter (where i.action = 'D') as deletes,
            count(*) filter (where i.action = 'U') as updates,
            count(*) filter (where i.action = 'I') as inserts,
            bool_or(i.several_parts) as several_parts
        from pg_temp.lizsync_incoming as i
        where i.batch = p_batch
        group by i.relation
    ) as c
    where r.batch = p_batch and r.relation = c.relation;
    perform lizsync.check_rights(r.relation) from pg_temp.lizsync_incoming_relations as r where r.batch = p_batch;

    if exists (select from pg_temp.lizsync_incoming_relations as r where r.batch = p_batch and r.several_parts) then
        insert into pg_temp.lizsync_incoming_parts (row_id, action, origin_server_id, changed_at, corrected_at, new_values)
        select i.row_id, p.action, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values
        from pg_temp.lizsync_incoming as i
        join lizsync.staged_parts(p_sync_id, p_batch, p_sender_id) as p
            on p.schema_name = i.schema_name and p.table_name = i.table_name and p.uid = i.uid
        where i.batch = p_batch and i.several_parts;
        analyze pg_temp.lizsync_incoming_parts (row_id);
    end if;

    delete from lizsync.staged_changes as p where p.sync_id = p_sync_id and p.batch = p_batch;
    return v_rows;
end
$function$;

comment on function lizsync.add_incoming_batch(uuid, integer, uuid) is
    'Brings the staged parts of a batch together, one row in lizsync_incoming for each row to apply, table by table, of the '
    'tables that lizsync.add_incoming_relations has noted; returns how many rows. LZ001 when a right on one of the tables is missing.';
