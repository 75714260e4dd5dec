create or replace function lizsync.set_ranges(p_ranges jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- The bounds and the start of the sequence itself are set, so that nothing in the clone leaves the range: not setval,
-- nor truncate ... restart identity, nor a cycle.
declare
    v_range record;
    v_lock_timeout constant text := current_setting('lock_timeout');
begin
    for v_range in
        select
            r.range ->> 'refusal' as refusal, r.range ->> 'hint' as hint,
            coalesce((r.range ->> 'keeps_range')::boolean, false) as keeps_range,
            (r.range ->> 'lower')::bigint as lower_value, (r.range ->> 'upper')::bigint as upper_value,
            (r.range ->> 'next')::bigint as next_value, (r.range ->> 'cycle')::boolean as cycle,
            (r.range ->> 'type')::regtype as type,
            s.sequence, q.seqincrement > 0 as ascends
        from jsonb_array_elements(p_ranges) as r (range)
        join lizsync.feeding_sequences(array(
            select to_regclass(format('%I.%I', l.schema_name, l.table_name)) from lizsync.link_relations as l
        )) as s on r.range -> 'columns' ?| s.columns
        join pg_sequence as q on q.seqrelid = s.sequence
        order by s.sequence
    loop
        if v_range.refusal is not null then
            raise warning using message = v_range.refusal, hint = v_range.hint;
            continue when v_range.keeps_range;
        end if;
        begin
            -- the lock waits for every transaction here that has drawn a number, and others that draw wait behind it
            perform set_config('lock_timeout', '2s', true);
            if v_range.lower_value is not null then
                execute format(
                    'alter sequence %s as %s minvalue %s maxvalue %s start with %s restart with %s %s',
                    v_range.sequence, v_range.type, v_range.lower_value, v_range.upper_value,
                    case when v_range.ascends then v_range.lower_value else v_range.upper_value end,
                    v_range.next_value, case when v_range.cycle then 'cycle' else 'no cycle' end);
            else
                -- without a range of its own it must not draw those of others: there are two numbers, and both are drawn
                execute format(
                    'alter sequence %s minvalue %s maxvalue %s start with %s restart with %s no cycle',
                    v_range.sequence,
                    case when v_range.ascends then 1 else -2 end, case when v_range.ascends then 2 else -1 end,
                    case when v_range.ascends then 1 else -1 end, case when v_range.ascends then 1 else -1 end);
                perform setval(v_range.sequence, case when v_range.ascends then 2 else -2 end);
            end if;
        exception
            when insufficient_privilege or invalid_parameter_value then
                raise warning using
                    message = format('the sequence %s of the clone cannot be given its range of numbers: %s', v_range.sequence, sqlerrm),
                    hint = case sqlstate
                        when '42501' then format('Let its owner run in the clone: alter sequence %s owner to %I', v_range.sequence, current_user)
                        else 'Give the column and the sequence the types that they have in the central.'
                    end;
            when lock_not_available then
                -- the next sync tries again
                null;
        end;
        perform set_config('lock_timeout', v_lock_timeout, true);
    end loop;
end
$function$;

comment on function lizsync.set_ranges(jsonb) is
    'On a clone, lets sequences draw from the ranges that lizsync.renew_ranges gave. A sequence that got none draws nothing; a '
    'warning says why.';
