create or replace function lizsync.current_position()
returns pg_snapshot
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- pg_current_snapshot() counts the caller's own transaction as complete. What it has not committed is not delivered, so
-- in a position it is in progress.
declare
    v_snapshot constant pg_snapshot := pg_current_snapshot();
    v_own constant xid8 := pg_current_xact_id_if_assigned();
begin
    if v_own is null or v_own >= pg_snapshot_xmax(v_snapshot) then
        return v_snapshot;
    end if;
    return (
        select format('%s:%s:%s', least(pg_snapshot_xmin(v_snapshot), v_own), pg_snapshot_xmax(v_snapshot),
                      string_agg(in_progress.xid::text, ',' order by in_progress.xid))::pg_snapshot
        from (
            select x as xid from pg_snapshot_xip(v_snapshot) as x
            union
            select v_own
        ) as in_progress
    );
end
$function$;

comment on function lizsync.current_position() is
    'The position that a delivery made now has: everything committed, not the caller''s own transaction.';
