create or replace function lizsync.is_news(
    p_relation_id integer,
    p_uid uuid,
    p_columns text[],
    p_position pg_snapshot,
    p_peer_id uuid
)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
-- most of the log is long carried, whatever is known about it
set enable_seqscan = off
as $function$
    select exists (
        select from audit.logged_actions as l
        where l.transaction_id >= pg_snapshot_xmin(p_position)
          and not pg_visible_in_snapshot(l.transaction_id, p_position)
          and l.relation_id = p_relation_id
          and l.uid = p_uid
          and l.action in ('I', 'U')
          and @extschema:hstore@.exists_any(l.new_values, p_columns)
          and l.received_from is distinct from p_peer_id
    )
$function$;

comment on function lizsync.is_news(integer, uuid, text[], pg_snapshot, uuid) is
    'Whether some of the columns of a row were written here, by anybody but a peer, since that peer was at p_position.';
