create or replace function lizsync.renew_ranges(
    p_clone_id uuid,
    p_relations regclass[],
    p_states jsonb,
    p_is_deployment boolean
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
-- A range counts as given from here on, and as in use once the clone says so, with its next sync. Until then the clone is
-- given the same one again, however often the answer is lost or rolled back.
declare
    v_sequence record;
    v_sequence_id integer;
    v_range lizsync.sequence_ranges;
    v_drawn bigint;
    v_row bigint;
    v_left numeric;
    v_is_low boolean;
    v_matches boolean;
    v_central bigint;
    v_new record;
    v_ranges jsonb := '[]';
begin
    for v_sequence in
        select
            s.sequence, s.columns, s.lowest, s.highest, q.seqincrement as step, q.seqincrement > 0 as ascends, q.seqcycle as cycle,
            q.seqtypid::regtype as type,
            (c.state ->> 'lower')::bigint as lower_value, (c.state ->> 'upper')::bigint as upper_value,
            (c.state ->> 'drawn')::bigint as drawn_value, coalesce(c.state -> 'columns', to_jsonb(s.columns)) as clone_columns
        from lizsync.feeding_sequences(p_relations) as s
        join pg_sequence as q on q.seqrelid = s.sequence
        left join jsonb_array_elements(p_states) as c (state) on c.state -> 'columns' ?| s.columns
        where p_is_deployment or c.state is not null
        order by s.sequence
    loop
        v_sequence_id := lizsync.known_sequence(v_sequence.sequence, v_sequence.columns);
        v_central := lizsync.last_number(v_sequence.sequence);

        update lizsync.sequence_ranges as r
        set confirmed_at = coalesce(r.confirmed_at, clock_timestamp()),
            drawn_value = case when v_sequence.ascends then greatest(r.drawn_value, v_sequence.drawn_value)
                               else least(r.drawn_value, v_sequence.drawn_value) end
        where r.sequence_id = v_sequence_id and r.clone_id = p_clone_id
          and r.lower_value = v_sequence.lower_value and r.upper_value = v_sequence.upper_value
          and (r.confirmed_at is null or r.drawn_value is distinct from v_sequence.drawn_value);

        -- the one that the clone has begun to draw from last
        select * into v_range
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id and r.clone_id = p_clone_id and r.confirmed_at is not null
        order by r.confirmed_at desc, r.range_id desc
        limit 1;
        v_matches := found and (v_range.lower_value, v_range.upper_value) = (v_sequence.lower_value, v_sequence.upper_value);
        v_is_low := true;
        v_left := 0;
        if v_range.range_id is not null then
            if p_is_deployment or not v_matches then
                -- the clone may be an older one than that which said how far it was
                v_row := lizsync.find_value(v_sequence.columns, v_range.lower_value, v_range.upper_value, v_sequence.ascends);
                update lizsync.sequence_ranges as r
                set drawn_value = case when v_sequence.ascends then greatest(r.drawn_value, v_row) else least(r.drawn_value, v_row) end
                where r.range_id = v_range.range_id and v_row is not null
                returning r.drawn_value into v_drawn;
                v_range.drawn_value := coalesce(v_drawn, v_range.drawn_value);
            end if;
            v_left := case
                when v_sequence.ascends then v_range.upper_value::numeric - coalesce(v_range.drawn_value, v_range.lower_value - v_sequence.step)
                else coalesce(v_range.drawn_value, v_range.upper_value - v_sequence.step) - v_range.lower_value::numeric
            end;
            v_left := floor(v_left / abs(v_sequence.step));
            v_is_low := v_left * 5 < floor((v_range.upper_value::numeric - v_range.lower_value) / abs(v_sequence.step)) + 1
                -- somebody set the central's sequence into it
                or coalesce(v_central between v_range.lower_value and v_range.upper_value, false);
        end if;

        v_new := null;
        if v_is_low then
            select r.range_id, null as refusal, null as hint into v_new
            from lizsync.sequence_ranges as r
            where r.sequence_id = v_sequence_id and r.clone_id = p_clone_id and r.confirmed_at is null
            order by r.range_id
            limit 1;
            if not found then
                select a.range_id, a.refusal, a.hint into v_new
                from lizsync.allot_range(
                    v_sequence.sequence, v_sequence.columns, v_sequence.lowest, v_sequence.highest, p_clone_id) as a;
            end if;
            if v_new.refusal is not null then
                v_ranges := v_ranges || jsonb_build_object(
                    'columns', v_sequence.clone_columns, 'refusal', v_new.refusal, 'hint', v_new.hint, 'keeps_range', v_left > 0 or v_matches);
            else
                select * into v_range from lizsync.sequence_ranges as r where r.range_id = v_new.range_id;
                v_left := 1;
                v_matches := false;
            end if;
        end if;
        if v_left > 0 and (p_is_deployment or not v_matches) then
            v_ranges := v_ranges || jsonb_build_object(
                'columns', v_sequence.clone_columns,
                'lower', v_range.lower_value,
                'upper', v_range.upper_value,
                'next', coalesce(
                    v_range.drawn_value + v_sequence.step,
                    case when v_sequence.ascends then v_range.lower_value else v_range.upper_value end),
                'type', v_sequence.type,
                'cycle', v_sequence.cycle);
        end if;

        if v_central is not null and v_sequence_id is not null then
            perform lizsync.guard_sequence(
                v_sequence.sequence, v_sequence_id,
                case when v_sequence.ascends then v_sequence.highest else - v_sequence.lowest end, null,
                case when v_sequence.ascends then v_central else - v_central::numeric end);
        end if;
    end loop;
    return v_ranges;
end
$function$;

comment on function lizsync.renew_ranges(uuid, regclass[], jsonb, boolean) is
    'On the central: which ranges a clone shall draw from, as its sequences are (lizsync.sequence_states): those that have changed, '
    'because less than a fifth was left, or for a deployment all. What lizsync.set_ranges takes.';
