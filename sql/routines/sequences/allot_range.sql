create or replace function lizsync.allot_range(
    p_sequence regclass,
    p_columns text[],
    p_lowest numeric,
    p_highest numeric,
    p_clone_id uuid,
    out range_id bigint,
    out refusal text,
    out hint text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- The central draws from the front of a sequence, ranges for clones are cut off its end, each in front of the one before.
-- What is between is free for both. A range takes a fiftieth of that at most, so there is always more left for the central
-- than for the next clone.
--
-- Numbers are negated where the sequence counts down, so that it counts up here (v_drawn, v_end, v_first, v_last).
declare
    v_sequence_id integer;
    v_sign numeric;
    v_step numeric;
    v_start numeric;
    v_drawn numeric;
    v_end numeric;
    v_size numeric;
    v_power numeric;
    v_first numeric;
    v_last numeric;
    v_row bigint;
    v_free record;
begin
    lock table lizsync.sequences in exclusive mode;
    v_sequence_id := lizsync.known_sequence(p_sequence, p_columns);
    if v_sequence_id is null then
        insert into lizsync.sequences as s (sequence, columns) values (p_sequence, p_columns)
        returning s.sequence_id into v_sequence_id;
    else
        update lizsync.sequences as s
        set sequence = p_sequence, columns = p_columns
        where s.sequence_id = v_sequence_id and (s.sequence, s.columns) is distinct from (p_sequence, p_columns);
    end if;

    select sign(q.seqincrement), abs(q.seqincrement), sign(q.seqincrement) * q.seqstart
    into v_sign, v_step, v_start
    from pg_sequence as q
    where q.seqrelid = p_sequence;
    v_drawn := v_sign * coalesce(lizsync.last_number(p_sequence), (
        -- of what is not a clone's
        select lizsync.find_value(
            p_columns,
            case when v_sign > 0 then p_lowest else coalesce(max(r.upper_value), p_lowest - 1) + 1 end::bigint,
            case when v_sign > 0 then coalesce(min(r.lower_value), p_highest + 1) - 1 else p_highest end::bigint,
            v_sign > 0)
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id
    ), v_sign * v_start);

    v_end := case when v_sign > 0 then p_highest else - p_lowest end;
    -- when nothing is left in front of the ranges that are given, it may be behind them
    if floor((
        select min(case when v_sign > 0 then r.lower_value else - r.upper_value::numeric end)
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id
          and case when v_sign > 0 then r.lower_value else - r.upper_value::numeric end > v_drawn
    ) - v_drawn) / v_step / 50 < 10 then
        select g.drawn into v_drawn from lizsync.guard_sequence(p_sequence, v_sequence_id, v_end, null, v_drawn) as g;
    end if;
    -- the end of bigint is far: numbers of 12 digits will do, which people can read, and if the central is there already then
    -- those that a floating-point number can hold, too
    v_end := least(v_end, greatest(
        power(10::numeric, 12),
        least(power(10::numeric, ceil(log(greatest(v_drawn, 1))) + 3), case when v_drawn < 4503599627370496 then 9007199254740991 end)));
    select least(v_end, min(f.first) - 1) into v_end
    from (
        select case when v_sign > 0 then r.lower_value else - r.upper_value::numeric end as first
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id
    ) as f
    where f.first > v_drawn;

    for v_try in 1..100 loop
        v_first := null;
        -- 1, 2 or 5 and zeros, so that people know the ranges by sight
        v_size := least(floor((v_end - v_drawn) / v_step / 50), 1000000000);
        exit when v_size < 10;
        v_power := power(10::numeric, floor(log(v_size)));
        v_size := v_power * case when v_size >= 5 * v_power then 5 when v_size >= 2 * v_power then 2 else 1 end;
        v_last := floor(v_end / (v_size * v_step)) * v_size * v_step;
        v_first := v_last - v_size * v_step + 1;
        -- rows that were given a number by hand
        v_row := lizsync.find_value(
            p_columns, least(v_sign * v_first, v_sign * v_last)::bigint, greatest(v_sign * v_first, v_sign * v_last)::bigint,
            v_sign < 0);
        exit when v_row is null;
        v_end := v_sign * v_row - 1;
        v_first := null;
    end loop;

    -- what clones have given back
    for v_free in
        select r.range_id, least(v_sign * r.lower_value, v_sign * r.upper_value) as first,
               greatest(v_sign * r.lower_value, v_sign * r.upper_value) as last
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id
          and r.clone_id is null
          and (r.upper_value - r.lower_value) / v_step + 1 >= case when v_first is null then 10 else v_size end
          and not (v_sign * v_drawn between r.lower_value and r.upper_value)
          and lizsync.find_value(p_columns, r.lower_value, r.upper_value, true) is null
        order by r.upper_value - r.lower_value desc, r.range_id
        limit 1
    loop
        v_first := v_free.first;
        v_last := v_free.last;
        range_id := v_free.range_id;
    end loop;

    if v_first is null then
        refusal := format('the sequence %s of the central has no numbers left that a clone could be given', p_sequence);
        hint := format('End the links of clones that are gone (lizsync retire), or give its columns a larger type on all servers (%s), and '
                       'then let it have more numbers: alter sequence %s as bigint no %s', array_to_string(p_columns, ', '), p_sequence,
                       case when v_sign > 0 then 'maxvalue' else 'minvalue' end);
        return;
    end if;
    -- in step with what the sequence draws itself
    v_first := v_first + mod(mod(v_start - v_first, v_step) + v_step, v_step);
    if v_first > v_drawn then
        select g.refusal, g.hint into refusal, hint
        from lizsync.guard_sequence(p_sequence, v_sequence_id, v_end, v_first, v_drawn) as g;
        if refusal is not null then
            range_id := null;
            return;
        end if;
    end if;

    if range_id is null then
        insert into lizsync.sequence_ranges as r (sequence_id, lower_value, upper_value, clone_id)
        values (v_sequence_id, least(v_sign * v_first, v_sign * v_last), greatest(v_sign * v_first, v_sign * v_last), p_clone_id)
        returning r.range_id into range_id;
    else
        update lizsync.sequence_ranges as r
        set clone_id = p_clone_id, allotted_at = clock_timestamp(), confirmed_at = null, drawn_value = null,
            lower_value = least(v_sign * v_first, v_sign * v_last), upper_value = greatest(v_sign * v_first, v_sign * v_last)
        where r.range_id = allot_range.range_id;
    end if;
end
$function$;

comment on function lizsync.allot_range(regclass, text[], numeric, numeric, uuid) is
    'On the central, gives a clone a range of a sequence, which feeds these columns and may have numbers from p_lowest to p_highest. '
    'Returns the row of lizsync.sequence_ranges, or null and why not.';
