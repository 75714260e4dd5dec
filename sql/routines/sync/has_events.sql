create or replace function lizsync.has_events(
    p_position pg_snapshot,
    p_peer_id uuid,
    p_include_own_transaction boolean
)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
-- most of the log is long carried, whatever is known about it
set enable_seqscan = off
as $function$
    select exists (
        select
        from audit.logged_actions as a
        where a.transaction_id >= pg_snapshot_xmin(p_position)
          and not pg_visible_in_snapshot(a.transaction_id, p_position)
          and a.received_from is distinct from p_peer_id
          and (p_include_own_transaction or a.transaction_id is distinct from pg_current_xact_id_if_assigned())
    )
$function$;

comment on function lizsync.has_events(pg_snapshot, uuid, boolean) is
    'Whether this server has events outside p_position that did not come from p_peer_id; of those that did nothing is left when they are folded.';
