create or replace function lizsync.resolve_conflicts(
    p_sender_id uuid,
    p_position pg_snapshot,
    p_ahead jsonb,
    p_clock_shift interval,
    p_held boolean
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
-- how many rows a window has can't be estimated, and two large ones must not meet in a nested loop
set enable_nestloop = off
as $function$
-- The sender knows this server's changes up to p_position (of some tables more: p_ahead). What was changed here since then, by anyone but the sender,
-- it had not seen when it made its own changes. (For rows that were held, p_position is what this server had when they
-- were held: the sender has got to know later changes, but the held one was made before.)
-- delete against anything: the row is deleted. Column against column: the later change, ties by server id.
begin
    if not lizsync.has_events(p_position, p_sender_id, true) then
        return;
    end if;
    create temporary table lizsync_mine on commit drop as
    select i.row_id, f.action, f.origin_server_id, f.changed_at, f.corrected_at, f.new_values
    from lizsync.fold_window(p_position, p_ahead, p_clock_shift, true, p_sender_id) as f
    join audit.logged_relations as r on r.relation_id = f.relation_id
    join pg_temp.lizsync_incoming as i
        on i.schema_name = r.schema_name and i.table_name = r.table_name and i.uid = f.uid
    where f.received_from is distinct from p_sender_id
      and i.batch = 0
      and i.held_position is not distinct from case when p_held then p_position::text end;

    analyze pg_temp.lizsync_mine;
    if not exists (select from pg_temp.lizsync_mine) then
        drop table pg_temp.lizsync_mine;
        return;
    end if;

    -- the sender deletes, this server changed the row
    insert into pg_temp.lizsync_found_conflicts
    select
        i.row_id, i.schema_name, i.table_name, i.uid, 'delete_update', s.origin_server_id, m.origin_server_id,
        s.changed_at, m.changed_at, null, m.new_values
    from pg_temp.lizsync_mine as m
    join pg_temp.lizsync_incoming as i on i.row_id = m.row_id
    join pg_temp.lizsync_writers as s on s.row_id = i.row_id
    where i.action = 'D' and i.exists_here and m.action <> 'D';

    -- the sender changes, this server deleted the row
    insert into pg_temp.lizsync_found_conflicts
    select
        i.row_id, i.schema_name, i.table_name, i.uid, 'update_delete', m.origin_server_id, s.origin_server_id,
        m.changed_at, s.changed_at, null, s.new_values
    from pg_temp.lizsync_mine as m
    join pg_temp.lizsync_incoming as i on i.row_id = m.row_id
    join pg_temp.lizsync_writers as s on s.row_id = i.row_id
    where i.action <> 'D' and not i.exists_here and m.action = 'D';

    update pg_temp.lizsync_incoming as i
    set state = 's'
    from pg_temp.lizsync_mine as m
    where i.row_id = m.row_id and i.action <> 'D' and not i.exists_here and m.action = 'D';

    -- both change a column
    create temporary table lizsync_both on commit drop as
    select
        i.row_id, theirs.key as column_name,
        theirs.value is not distinct from mine.value as agreed,
        (m.corrected_at, m.origin_server_id) > (s.corrected_at, s.origin_server_id) as mine_wins,
        theirs.value as their_value, s.origin_server_id as their_server_id, s.changed_at as their_changed_at,
        mine.value as my_value, m.origin_server_id as my_server_id, m.changed_at as my_changed_at
    from pg_temp.lizsync_mine as m
    join pg_temp.lizsync_incoming as i on i.row_id = m.row_id
    join pg_temp.lizsync_writers as s on s.row_id = i.row_id
    cross join lateral @extschema:hstore@.each(m.new_values) as mine
    join lateral @extschema:hstore@.each(s.new_values) as theirs on theirs.key = mine.key
    where i.action <> 'D' and i.exists_here and m.action <> 'D';

    insert into pg_temp.lizsync_found_conflicts
    select
        i.row_id, i.schema_name, i.table_name, i.uid, 'update_update',
        case when b.mine_wins then b.my_server_id else b.their_server_id end,
        case when b.mine_wins then b.their_server_id else b.my_server_id end,
        case when b.mine_wins then b.my_changed_at else b.their_changed_at end,
        case when b.mine_wins then b.their_changed_at else b.my_changed_at end,
        @extschema:hstore@.hstore(b.column_name, case when b.mine_wins then b.my_value else b.their_value end),
        @extschema:hstore@.hstore(b.column_name, case when b.mine_wins then b.their_value else b.my_value end)
    from pg_temp.lizsync_both as b
    join pg_temp.lizsync_incoming as i on i.row_id = b.row_id
    where not b.agreed;

    update pg_temp.lizsync_incoming as i
    set agreed_columns = b.agreed_columns,
        remaining_values = i.new_values operator(@extschema:hstore@.-) b.lost_columns,
        state = case when i.new_values operator(@extschema:hstore@.-) b.lost_columns
                          operator(@extschema:hstore@.=) '' then 's' else i.state end
    from (
        select
            c.row_id,
            coalesce(array_agg(c.column_name) filter (where c.agreed), '{}') as agreed_columns,
            coalesce(array_agg(c.column_name) filter (where not c.agreed and c.mine_wins), '{}') as lost_columns
        from pg_temp.lizsync_both as c
        group by c.row_id
    ) as b
    where i.row_id = b.row_id;

    drop table pg_temp.lizsync_both, pg_temp.lizsync_mine;
end
$function$;

comment on function lizsync.resolve_conflicts(uuid, pg_snapshot, jsonb, interval, boolean) is
    'Decides the received rows of batch 0 that were changed here too: which columns lose, which rows stay as they are.';
