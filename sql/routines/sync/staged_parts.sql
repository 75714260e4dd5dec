create or replace function lizsync.staged_parts(p_sync_id uuid, p_batch integer, p_sender_id uuid)
returns table (
    schema_name text,
    table_name text,
    uid uuid,
    action "char",
    origin_server_id uuid,
    changed_at timestamp with time zone,
    corrected_at timestamp with time zone,
    new_values @extschema:hstore@.hstore
)
language sql
stable
as $function$
-- A clone speaks for itself only, and nothing happens later than now: whatever a clone claims, the central notes it as the
-- origin, and takes no time of the future. Batch 0 is what the sender delivered, the others this server decided itself.
    select
        p.schema_name, p.table_name, p.uid, p.action,
        case
            when p_batch > 0 then p.origin_server_id
            when (select m.server_role = 'central' from lizsync.server_metadata as m) then p_sender_id
            else coalesce(p.origin_server_id, p_sender_id)
        end,
        p.changed_at,
        case
            when p_batch > 0 then p.corrected_at
            when (select m.server_role = 'central' from lizsync.server_metadata as m)
                then least(coalesce(p.corrected_at, p.changed_at), (select clock_timestamp()))
            else coalesce(p.corrected_at, p.changed_at)
        end,
        p.new_values
    from lizsync.staged_changes as p
    where p.sync_id = p_sync_id and p.batch = p_batch
$function$;

comment on function lizsync.staged_parts(uuid, integer, uuid) is
    'What is staged of a batch, with all that lizsync.staged_changes leaves out.';
