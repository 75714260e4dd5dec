create or replace function lizsync.list_held_changes(p_peer_id uuid, p_value_length integer)
returns table (
    held_id bigint,
    peer_id uuid,
    peer_name text,
    schema_name text,
    table_name text,
    uid uuid,
    action text,
    sqlstate text,
    message text,
    held_since timestamp with time zone,
    last_tried_at timestamp with time zone,
    parts jsonb
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $function$
-- Values are texts and can be as long as PostgreSQL allows: who shows them says how much of each is wanted.
select
    h.held_id, h.peer_id, l.peer_name, h.schema_name, h.table_name, h.uid,
    case when p.is_delete then 'delete' when p.is_insert then 'insert' else 'update' end,
    h.sqlstate, h.message, h.held_since, h.last_tried_at, p.parts
from lizsync.held_changes as h
join lizsync.links as l on l.peer_id = h.peer_id
cross join lateral (
    select
        bool_or(w.action = 'D') as is_delete,
        bool_or(w.action = 'I') as is_insert,
        jsonb_agg(
            jsonb_build_object(
                'origin_server_id', w.origin_server_id,
                'changed_at', w.changed_at,
                'values', (
                    select coalesce(jsonb_agg(
                        jsonb_build_object(
                            'column', v.key,
                            'value', left(v.value, p_value_length),
                            'is_shortened', length(v.value) > p_value_length is true
                        ) order by v.key collate "C"), '[]')
                    from @extschema:hstore@.each(w.new_values) as v
                )
            ) order by w.action = 'U', w.changed_at
        ) as parts
    from lizsync.held_change_parts as w
    where w.held_id = h.held_id
) as p
where (p_peer_id is null or h.peer_id = p_peer_id) and lizsync.check_peer(h.peer_id)
order by h.held_id
$function$;

comment on function lizsync.list_held_changes(uuid, integer) is
    'Changes of a server (null: of any) that this one could not apply: why, since when, and what each writer wanted, the first '
    'p_value_length characters of each value. LZ001 when the caller may not synchronise with a server that sent one.';
