create or replace function lizsync.remove_events(
    p_before xid8,
    p_limit bigint,
    out removed bigint,
    out latest timestamp with time zone
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_last_transaction xid8;
    v_statement_ids bigint[];
begin
    with removed_events as (
        delete from audit.logged_actions as a
        -- found by the index, oldest first, and removed where they stand, however large the log is
        where a.ctid = any (array(
            select d.ctid
            from audit.logged_actions as d
            where d.transaction_id < p_before
            order by d.transaction_id
            limit p_limit
        ))
        returning a.transaction_id, a.statement_id, coalesce(a.corrected_at, a.changed_at) as changed_at
    )
    select
        count(*),
        max(e.changed_at) filter (where isfinite(e.changed_at)),
        (array_agg(e.transaction_id order by e.transaction_id desc))[1],
        array_agg(distinct e.statement_id) filter (where e.statement_id is not null)
    into removed, latest, v_last_transaction, v_statement_ids
    from removed_events as e;

    -- a statement belongs to one transaction, and only the last one may have kept events
    delete from audit.logged_statements as s
    where s.statement_id = any (v_statement_ids)
      and not exists (
          select from audit.logged_actions as a
          where a.transaction_id = v_last_transaction and a.statement_id = s.statement_id
      );
end
$function$;

comment on function lizsync.remove_events(xid8, bigint) is
    'Removes the oldest events of transactions before p_before, at most p_limit, and statements without events. Returns how many '
    'events, and the latest time of one.';
