create or replace function lizsync.add_incoming_relations(p_sync_id uuid, p_batch integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
-- by hashing: nothing is known of rows that were just copied, and PostgreSQL would sort them
set enable_sort = off
as $function$
begin
    insert into pg_temp.lizsync_incoming_relations (batch, schema_name, table_name)
    select p_batch, d.schema_name, d.table_name
    from (
        select distinct p.schema_name, p.table_name
        from lizsync.staged_changes as p
        where p.sync_id = p_sync_id and p.batch = p_batch
    ) as d
    where not exists (
        select from pg_temp.lizsync_incoming_relations as r
        where r.batch = p_batch and r.schema_name = d.schema_name and r.table_name = d.table_name
    );
end
$function$;

comment on function lizsync.add_incoming_relations(uuid, integer) is
    'Notes in lizsync_incoming_relations which tables are staged in a batch, as far as they are not noted yet.';
