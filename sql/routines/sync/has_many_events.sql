create or replace function lizsync.has_many_events(p_position pg_snapshot)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
-- most of the log is long carried, whatever is known about it
set enable_seqscan = off
as $function$
    select count(*) = 1000 or sum(e.bytes) >= 250000
    from (
        select pg_column_size(a.new_values) as bytes
        from audit.logged_actions as a
        where a.transaction_id >= pg_snapshot_xmin(p_position)
          and not pg_visible_in_snapshot(a.transaction_id, p_position)
        limit 1000
    ) as e
$function$;

comment on function lizsync.has_many_events(pg_snapshot) is
    'Whether the events of this server outside p_position are so many, or so large, that sending them twice costs something on a bad line.';
