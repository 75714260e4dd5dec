create or replace function lizsync.fold_window(
    p_position pg_snapshot,
    p_ahead jsonb,
    p_clock_shift interval,
    p_include_own_transaction boolean,
    p_peer_id uuid,
    p_seen pg_snapshot default null
)
returns table (
    relation_id integer,
    uid uuid,
    action "char",
    received_from uuid,
    origin_server_id uuid,
    changed_at timestamp with time zone,
    corrected_at timestamp with time zone,
    new_values @extschema:hstore@.hstore,
    row_action "char",
    row_received_from uuid,
    event_id bigint,
    is_seen boolean
)
language sql
stable
set search_path = pg_catalog, pg_temp
-- how many rows a window has can't be estimated: most of the log is long carried, and two large windows must not meet in a
-- nested loop
set enable_seqscan = off
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
as $function$
-- The window is found by transaction, never by time or event id: transactions commit out of order.
-- Per row the last delete or insert decides whether it lives, per column the last writer's value counts. A row comes as
-- one D, or one part for each writer: one I if it was inserted in the window, U for the others. The key '' stands for
-- the insert itself, so that it has a part even when all its values were written again later.
-- A change was made after what it overwrote, whatever the clocks say: its time is the latest of its column's so far.
-- Most rows have one event, or one that alone counts, which is the result.
-- A row that only the peer wrote is left out. So is what the peer wrote before all others did, which makes no difference to them
-- when their times are not earlier.
with ahead as materialized (
    select r.relation_id, t.position
    from jsonb_to_recordset(p_ahead) as t (schema_name text, table_name text, position pg_snapshot)
    join audit.logged_relations as r using (schema_name, table_name)
), window_events as materialized (
    select
        a.event_id, a.relation_id, a.uid, a.action, a.received_from, a.changed_at, a.new_values,
        coalesce(a.origin_server_id, (select lizsync.server_id())) as origin_server_id,
        coalesce(a.corrected_at, least(a.changed_at, (select clock_timestamp())) + p_clock_shift) as corrected_at,
        a.received_from is distinct from p_peer_id as is_others,
        nullif(pg_visible_in_snapshot(a.transaction_id, p_seen), false) as is_seen
    from audit.logged_actions as a
    left join ahead as t on t.relation_id = a.relation_id
    where a.transaction_id >= pg_snapshot_xmin(p_position)
      and not pg_visible_in_snapshot(a.transaction_id, p_position)
      and pg_visible_in_snapshot(a.transaction_id, t.position) is not true
      and (p_include_own_transaction or a.transaction_id is distinct from pg_current_xact_id_if_assigned())
), repeated as materialized (
    select e.relation_id, e.uid from window_events as e group by e.relation_id, e.uid having count(*) > 1
), several as materialized (
    select
        w.relation_id, w.uid, w.event_id, w.is_seen, w.row_event_id,
        greatest(w.row_event_id, case when w.peer_was_first then w.other_event_id end) as first_event_id
    from (
        select
            e.relation_id, e.uid, max(e.event_id) as event_id,
            case when bool_or(e.is_seen) then count(e.is_seen) = count(*) end as is_seen,
            max(e.event_id) filter (where e.action in ('I', 'D')) as row_event_id,
            min(e.event_id) filter (where e.is_others) as other_event_id,
            max(e.event_id) filter (where not e.is_others) < min(e.event_id) filter (where e.is_others)
                and max(e.corrected_at) filter (where not e.is_others) <= min(e.corrected_at) filter (where e.is_others)
                as peer_was_first
        from window_events as e
        join repeated as r on r.relation_id = e.relation_id and r.uid = e.uid
        group by e.relation_id, e.uid
        having bool_or(e.is_others)
    ) as w
), several_events as materialized (
    select
        e.*,
        lizsync.merge_values(k.null_values) over (later rows between unbounded preceding and 1 preceding) as written_later,
        e.corrected_at < lead(e.corrected_at) over later as is_set_back
    from window_events as e
    join several as s on s.relation_id = e.relation_id and s.uid = e.uid
    cross join lateral (select @extschema:hstore@.akeys(e.new_values) as columns) as v
    cross join lateral (
        select @extschema:hstore@.hstore(v.columns, array_fill(null::text, array[cardinality(v.columns)])) as null_values
    ) as k
    where e.event_id >= coalesce(s.first_event_id, 0)
      and s.first_event_id is distinct from s.event_id
    window later as (partition by e.relation_id, e.uid order by e.event_id desc)
), set_back as materialized (
    select distinct e.relation_id, e.uid from several_events as e where e.is_set_back
), last_writers as (
    select distinct on (e.relation_id, e.uid, v.key)
        e.relation_id, e.uid, v.key, v.value, e.received_from, e.origin_server_id, e.changed_at,
        max(e.corrected_at) over (partition by e.relation_id, e.uid, v.key) as corrected_at
    from several_events as e
    join set_back as b on b.relation_id = e.relation_id and b.uid = e.uid
    cross join lateral (
        select pair.key, pair.value from @extschema:hstore@.each(e.new_values) as pair
        union all
        select '', null where e.action = 'I'
    ) as v
    where e.action <> 'D'
    order by e.relation_id, e.uid, v.key, e.event_id desc
), parts as (
    -- times that never went back are the latest of every column: what an event wrote and no later one did
    select
        e.relation_id, e.uid, e.action, e.received_from, e.origin_server_id, e.changed_at, e.corrected_at, r.new_values
    from several_events as e
    left join set_back as b on b.relation_id = e.relation_id and b.uid = e.uid
    cross join lateral (
        select e.new_values operator(@extschema:hstore@.-)
               coalesce(@extschema:hstore@.akeys(e.written_later), '{}') as new_values
    ) as r
    where b.uid is null
      and (e.action = 'I' or (e.action = 'U' and r.new_values operator(@extschema:hstore@.<>) ''))
    union all
    select
        w.relation_id, w.uid,
        (case when bool_or(w.key = '') then 'I' else 'U' end)::"char" as action,
        w.received_from, w.origin_server_id, w.changed_at, w.corrected_at,
        @extschema:hstore@.delete(
            @extschema:hstore@.hstore(array_agg(w.key), array_agg(w.value)), ''::text
        ) as new_values
    from last_writers as w
    group by w.relation_id, w.uid, w.received_from, w.origin_server_id, w.changed_at, w.corrected_at
)
select
    e.relation_id, e.uid, e.action, e.received_from, e.origin_server_id, e.changed_at, e.corrected_at, e.new_values,
    e.action as row_action, e.received_from as row_received_from, e.event_id,
    case when s.uid is null then e.is_seen else s.is_seen end as is_seen
from window_events as e
left join several as s on s.relation_id = e.relation_id and s.uid = e.uid
where case when s.uid is null then e.is_others else e.event_id = s.first_event_id and e.event_id = s.event_id end
union all
select
    e.relation_id, e.uid, e.action, e.received_from, e.origin_server_id, e.changed_at, e.corrected_at, e.new_values,
    e.action, e.received_from, s.event_id, s.is_seen
from several_events as e
join several as s on s.row_event_id = e.event_id
where e.action = 'D'
union all
select
    p.relation_id, p.uid, p.action, p.received_from, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values,
    row_part.action, row_part.received_from, s.event_id, s.is_seen
from parts as p
join several as s on s.relation_id = p.relation_id and s.uid = p.uid
left join parts as row_part
    on row_part.relation_id = p.relation_id and row_part.uid = p.uid and row_part.action = 'I'
$function$;

comment on function lizsync.fold_window(pg_snapshot, jsonb, interval, boolean, uuid, pg_snapshot) is
    'Net effect of the events of this server outside p_position and, for tables of p_ahead, outside theirs; what p_peer_id wrote '
    'is left out where nothing depends on it. p_clock_shift is added to times of this clock to get '
    'the central''s. new_values is null for D; row_action and row_received_from are those of the I or D that made the row live or die; event_id is its last event; is_seen says whether p_seen has all of its events (true), some (false) or none (null).';
