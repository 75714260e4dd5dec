create or replace function lizsync.shares_history(p_central_id uuid, p_last_sync_id uuid, p_last_sync_transaction_id xid8)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- Two slots keep the ids of the last sync that this clone saw end and of the one that began after it. A crash leaves the
-- central at either. Another id there means that one of the two went back in time, or that this clone exists twice.
-- A sync whose transaction here was rolled back is no such case: the central keeps the transaction's id.
begin
    if exists (
        select from lizsync.links as l
        where l.peer_id = p_central_id
          and (l.last_sync_id is not distinct from p_last_sync_id or l.pending_sync_id is not distinct from p_last_sync_id)
    ) then
        return true;
    end if;
    return pg_xact_status(p_last_sync_transaction_id) is not distinct from 'aborted';
exception when invalid_parameter_value then
    -- a transaction of the future
    return false;
end
$function$;

comment on function lizsync.shares_history(uuid, uuid, xid8) is
    'On a clone, whether the last sync that its central knows, and the transaction here in which that began, are of its own past.';
