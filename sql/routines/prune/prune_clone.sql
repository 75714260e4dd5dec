create or replace function lizsync.prune_clone(p_limit bigint)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- What may go are events that nobody will ask for again:
--   the next delivery and the conflicts of the next one that is received look outside the position that the central has
--     committed (links.peer_position);
--   a held change meets what was changed here after it was held (held_changes.held_position);
--   a foreign key whose parent is gone asks what became of the parent. A child that arrives refers to it because its author
--     did not know of the deletion: the central has not got it yet, so it lies outside peer_position, too. (The deletion of
--     a parent that the central holds is the exception: then the child waits, held, until that is settled.)
-- Transactions before the xmin of a position are all in it; those above it go with the next sync. The limit keeps a sync
-- short after a large one.
declare
    v_before xid8;
begin
    select (array_agg(needed.xid order by needed.xid))[1] into v_before
    from (
        select pg_snapshot_xmin(l.peer_position) as xid from lizsync.links as l
        union all
        select pg_snapshot_xmin(h.held_position) from lizsync.held_changes as h
    ) as needed;
    -- nothing is known to have arrived
    if exists (select from lizsync.links as l where l.peer_position is null) then
        return 0;
    end if;
    return (select r.removed from lizsync.remove_events(v_before, p_limit) as r);
end
$function$;

comment on function lizsync.prune_clone(bigint) is
    'Removes events that the central has received from the log of a clone, at most p_limit; returns how many.';
