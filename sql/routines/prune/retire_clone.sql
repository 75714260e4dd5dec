create or replace function lizsync.retire_clone(p_name text)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_link lizsync.links;
    v_range record;
    v_used bigint;
    v_returned integer := 0;
begin
    if not exists (select from lizsync.server_metadata as m where m.server_role = 'central') then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is not a central', current_database()),
            hint = 'A clone is retired at its central: --central.';
    end if;
    begin
        select l.* into strict v_link
        from lizsync.links as l
        where p_name in (l.peer_name, l.peer_id::text) and l.retired_at is null;
    exception when no_data_found or too_many_rows then
        raise exception using
            errcode = 'LZ002',
            message = case sqlstate
                when 'P0002' then format('the central has no clone called %s', p_name)
                else format('the central has several clones called %s', p_name)
            end,
            detail = 'clones: ' || coalesce((
                select string_agg(format('%s (%s)', l.peer_name, l.peer_id), ', ' order by l.peer_name, l.peer_id)
                from lizsync.links as l where l.retired_at is null), 'none'),
            hint = 'Name one of them, by its name or its id.';
    end;
    perform lizsync.lock_link(v_link.peer_id);
    update lizsync.links as l set retired_at = clock_timestamp() where l.peer_id = v_link.peer_id;

    -- numbers that have been drawn stay with the clone, the others can be given to another one
    lock table lizsync.sequences in exclusive mode;
    for v_range in
        select r.*, s.columns, q.seqincrement > 0 as ascends
        from lizsync.sequence_ranges as r
        join lizsync.sequences as s using (sequence_id)
        join pg_sequence as q on q.seqrelid = s.sequence
        where r.clone_id = v_link.peer_id
    loop
        v_used := lizsync.find_value(v_range.columns, v_range.lower_value, v_range.upper_value, v_range.ascends);
        v_used := case when v_range.ascends then greatest(v_used, v_range.drawn_value) else least(v_used, v_range.drawn_value) end;
        if v_used is null then
            update lizsync.sequence_ranges as r set clone_id = null where r.range_id = v_range.range_id;
            v_returned := v_returned + 1;
        elsif v_used <> (case when v_range.ascends then v_range.upper_value else v_range.lower_value end) then
            update lizsync.sequence_ranges as r
            set lower_value = case when v_range.ascends then r.lower_value else v_used end,
                upper_value = case when v_range.ascends then v_used else r.upper_value end,
                drawn_value = v_used
            where r.range_id = v_range.range_id;
            insert into lizsync.sequence_ranges (sequence_id, lower_value, upper_value)
            values (
                v_range.sequence_id,
                case when v_range.ascends then v_used + 1 else v_range.lower_value end,
                case when v_range.ascends then v_range.upper_value else v_used - 1 end);
            v_returned := v_returned + 1;
        end if;
    end loop;

    return jsonb_build_object(
        'clone_id', v_link.peer_id, 'clone_name', v_link.peer_name,
        'last_synchronised_at', v_link.last_synchronised_at, 'ranges_returned', v_returned);
end
$function$;

comment on function lizsync.retire_clone(text) is
    'On the central, ends the link of a clone, by its name or id: it can''t synchronise any more, nothing is kept for it, and the '
    'numbers that it has not drawn can be given to another one. LZ002: there is no such clone; LZ004: it is synchronising.';
