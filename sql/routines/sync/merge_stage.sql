create or replace function lizsync.merge_stage(p_from_sync_id uuid, p_into_sync_id uuid)
returns numeric
language sql
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
set timezone = 'UTC'
-- nothing is known of rows that were just copied
set enable_nestloop = off
set enable_mergejoin = off
as $function$
    with replaced as (
        delete from lizsync.staged_changes as p
        using (
            select distinct c.schema_name, c.table_name, c.uid from lizsync.staged_changes as c where c.sync_id = p_into_sync_id
        ) as c
        where p.sync_id = p_from_sync_id
          and p.schema_name = c.schema_name and p.table_name = c.table_name and p.uid = c.uid
    )
    delete from lizsync.stages as s where s.sync_id = p_from_sync_id;

    delete from lizsync.staged_changes as p where p.sync_id = p_into_sync_id and p.action in ('X', 'C');

    with moved as (
        update lizsync.staged_changes as p
        set sync_id = p_into_sync_id
        where p.sync_id = p_from_sync_id
        returning
            lizsync.digest_part(p.schema_name, p.table_name, p.uid, p.action, p.changed_at, p.new_values, p.event_id) as digest
    )
    select coalesce(sum(m.digest), 0) from moved as m;
$function$;

comment on function lizsync.merge_stage(uuid, uuid) is
    'Puts what is staged of one delivery, and was not replaced by a later one (of lizsync.resumed_changes), under that one; returns the sum of lizsync.digest_part over it.';
