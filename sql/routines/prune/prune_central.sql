create or replace function lizsync.prune_central(p_keep interval, p_expire interval, p_limit bigint)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- An event may go when it is older than p_keep and every link has it: links.peer_position is what the clone itself has
-- committed, because lizsync.synchronize refuses to run twice in one transaction. The conflicts of what a clone sends, and
-- what became of a parent that its rows refer to, are looked for outside that position, too; for a change that is held,
-- outside its held_position. Links that are retired or expired count no more: they get nothing but a new package
-- (lizsync.start_delivery, lizsync.register_clone), and what they still send is held where the removed events would
-- decide (lizsync.apply_changes).
declare
    v_now constant timestamp with time zone := clock_timestamp();
    v_before xid8;
    v_recent xid8;
    v_removable xid8;
    v_expired jsonb;
    v_held_back_by jsonb;
    v_removed record;
begin
    -- lizsync.register_clone shares this lock: no clone is deployed from an older package in between
    perform from lizsync.server_metadata as m where m.server_role = 'central' for update;
    if not found then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is not a central', current_database()),
            hint = 'The log of a clone is pruned by each sync.';
    end if;

    with expired as (
        update lizsync.links as l
        set expired_at = v_now
        where l.expired_at is null
          and l.retired_at is null
          and greatest(l.last_synchronised_at, l.deployed_at) < v_now - p_expire
        returning l.peer_name, l.last_synchronised_at
    )
    select coalesce(jsonb_agg(
        jsonb_build_object('name', e.peer_name, 'last_synchronised_at', e.last_synchronised_at) order by e.peer_name), '[]')
    into v_expired
    from expired as e;

    v_before := pg_snapshot_xmin(pg_current_snapshot());
    -- what comes after a recent change is recent, whatever clock its own time is from
    select a.transaction_id into v_recent
    from audit.logged_actions as a
    where a.transaction_id < v_before and coalesce(a.corrected_at, a.changed_at) >= v_now - p_keep
    order by a.transaction_id
    limit 1;
    v_removable := least(v_before, v_recent);

    select
        needed.xid,
        jsonb_build_object('name', needed.clone_name, 'last_synchronised_at', needed.last_synchronised_at)
    into v_before, v_held_back_by
    from (
        select l.peer_name as clone_name, l.last_synchronised_at, coalesce(pg_snapshot_xmin(l.peer_position), '0') as xid
        from lizsync.links as l
        where l.expired_at is null and l.retired_at is null
        union all
        select l.peer_name, l.last_synchronised_at, pg_snapshot_xmin(h.held_position)
        from lizsync.held_changes as h
        join lizsync.links as l on l.peer_id = h.peer_id
        where l.expired_at is null and l.retired_at is null
        union all
        -- deployed, for all that is known here
        select d.clone_name, null, pg_snapshot_xmin(p.snapshot)
        from lizsync.deployments as d
        join lizsync.packages as p on p.package_id = d.package_id
        where d.created_at >= v_now - coalesce(p_expire, '1000 years')
    ) as needed
    where needed.xid < v_removable
    order by needed.xid
    limit 1;
    v_before := least(v_before, v_removable);
    if not exists (
        select from audit.logged_actions as a where a.transaction_id >= v_before and a.transaction_id < v_removable limit 1
    ) then
        v_held_back_by := null;
    end if;

    select r.removed, r.latest into v_removed from lizsync.remove_events(v_before, p_limit) as r;
    if v_removed.removed > 0 then
        update lizsync.server_metadata as m
        set pruned_before = greatest(m.pruned_before, v_before),
            pruned_until = greatest(m.pruned_until, v_removed.latest);
    end if;
    return jsonb_build_object('removed', v_removed.removed, 'expired', v_expired, 'held_back_by', v_held_back_by);
end
$function$;

comment on function lizsync.prune_central(interval, interval, bigint) is
    'Removes events that are older than p_keep and that no link needs from the log of a central, at most p_limit. Clones that '
    'have not synchronised for p_expire (null: none) are marked: they need a new package. Returns how many events went, which '
    'clones were marked, and the clone that keeps older events from going.';
