create or replace function lizsync.return_ranges(p_clone_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- Numbers up to the last one that the central knows to be drawn stay the clone's: rows may have them. Ranges that it had
-- before those that it draws from are used up.
declare
    v_range record;
    v_used bigint;
begin
    lock table lizsync.sequences in exclusive mode;
    for v_range in
        select
            r.range_id, r.sequence_id, r.lower_value, r.upper_value, r.drawn_value, s.columns,
            coalesce(q.seqincrement, 1) as step, coalesce(q.seqincrement, 1) > 0 as ascends
        from lizsync.sequence_ranges as r
        join lizsync.sequences as s on s.sequence_id = r.sequence_id
        left join pg_sequence as q on q.seqrelid = s.sequence
        where r.clone_id = p_clone_id
          and not exists (
              select from lizsync.sequence_ranges as later
              where later.sequence_id = r.sequence_id and later.clone_id = r.clone_id
                and (later.confirmed_at, later.range_id) > (r.confirmed_at, r.range_id)
          )
    loop
        v_used := lizsync.find_value(v_range.columns, v_range.lower_value, v_range.upper_value, v_range.ascends);
        v_used := case when v_range.ascends then greatest(v_used, v_range.drawn_value) else least(v_used, v_range.drawn_value) end;
        if v_used is null then
            update lizsync.sequence_ranges as r set clone_id = null, confirmed_at = null where r.range_id = v_range.range_id;
        elsif v_range.ascends and v_range.upper_value - v_used >= v_range.step then
            update lizsync.sequence_ranges as r set upper_value = v_used where r.range_id = v_range.range_id;
            insert into lizsync.sequence_ranges (sequence_id, lower_value, upper_value)
            values (v_range.sequence_id, v_used + v_range.step, v_range.upper_value);
        elsif not v_range.ascends and v_used - v_range.lower_value >= - v_range.step then
            update lizsync.sequence_ranges as r set lower_value = v_used where r.range_id = v_range.range_id;
            insert into lizsync.sequence_ranges (sequence_id, lower_value, upper_value)
            values (v_range.sequence_id, v_range.lower_value, v_used + v_range.step);
        end if;
    end loop;
end
$function$;

comment on function lizsync.return_ranges(uuid) is
    'On the central, lets what a clone has not drawn from its ranges of sequences be given to others. It must not synchronise after that.';
