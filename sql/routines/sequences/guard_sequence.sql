create or replace function lizsync.guard_sequence(
    p_sequence regclass,
    p_sequence_id integer,
    p_end numeric,
    p_new_first numeric,
    inout drawn numeric,
    out refusal text,
    out hint text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- The definition of a sequence of the central stays as it is while it would take half a billion numbers to get to the
-- ranges of clones; this is looked at again with every sync. A smallint begins closer. When there are more numbers behind a
-- range than in front of it, because somebody gave the columns a larger type, the sequence goes on there.
declare
    v_lock_timeout constant text := current_setting('lock_timeout');
    v_sign numeric;
    v_step numeric;
    v_start numeric;
    v_bound numeric;
    v_barrier numeric;
    v_behind numeric;
    v_room numeric;
    v_drawn numeric;
begin
    select
        sign(q.seqincrement), abs(q.seqincrement), sign(q.seqincrement) * q.seqstart,
        case when q.seqincrement > 0 then q.seqmax else - q.seqmin::numeric end
    into v_sign, v_step, v_start, v_bound
    from pg_sequence as q
    where q.seqrelid = p_sequence;
    select least(p_new_first, min(f.first)), (array_agg(f.last order by f.room desc))[1], max(f.room)
    into v_barrier, v_behind, v_room
    from (
        select r.first, r.last, lead(r.first, 1, p_end + 1) over (order by r.first) - r.last as room
        from (
            select least(v_sign * r.lower_value, v_sign * r.upper_value) as first,
                   greatest(v_sign * r.lower_value, v_sign * r.upper_value) as last
            from lizsync.sequence_ranges as r
            where r.sequence_id = p_sequence_id and r.clone_id is not null
        ) as r
        where r.first > drawn
    ) as f;
    if v_barrier is null or (v_barrier - drawn) / v_step >= 536870912 or v_bound < v_barrier then
        return;
    end if;
    v_behind := v_behind + 1;
    v_behind := v_behind + mod(mod(v_start - v_behind, v_step) + v_step, v_step);
    -- before any sequence is locked, as lizsync.allot_range does it
    lock table lizsync.sequences in exclusive mode;
    begin
        if p_new_first is null and v_room > v_barrier - drawn then
            -- somebody else may just have done it, and setval is seen at once
            v_drawn := v_sign * lizsync.last_number(p_sequence);
            if v_drawn <= drawn then
                perform setval(p_sequence, (v_sign * v_behind)::bigint, false);
                v_drawn := v_behind;
            end if;
            drawn := coalesce(v_drawn, drawn);
            return;
        end if;
        -- the lock waits for every transaction that has drawn a number, and others that draw wait behind it
        perform set_config('lock_timeout', '2s', true);
        execute format('alter sequence %s %s %s', p_sequence,
            case when v_sign > 0 then 'maxvalue' else 'minvalue' end, (v_sign * (v_barrier - 1))::bigint);
    exception
        when insufficient_privilege then
            refusal := format('the sequence %s of the central cannot be kept out of the numbers of clones: %s', p_sequence, sqlerrm);
            hint := format('Let its owner run in the central: alter sequence %s owner to %I', p_sequence, current_user);
        when lock_not_available then
            refusal := format('the sequence %s of the central cannot be kept out of the numbers of clones now: a long transaction uses it',
                              p_sequence);
            hint := 'The next sync tries again.';
        when invalid_parameter_value then
            refusal := format('the sequence %s of the central cannot be kept out of the numbers of clones: %s', p_sequence, sqlerrm);
            hint := format('Let its start be in front of its last value: alter sequence %s start with ...', p_sequence);
    end;
    perform set_config('lock_timeout', v_lock_timeout, true);
end
$function$;

comment on function lizsync.guard_sequence(regclass, integer, numeric, numeric, numeric) is
    'On the central, keeps a sequence that has drawn so far from the ranges of clones, one of which is about to begin at p_new_first '
    '(null: none), by its maxvalue or minvalue when they are near. p_end: the last number that it and its columns can have. All '
    'negated where it counts down. Returns how far it has drawn then, and why it could not be kept out (null: it is).';
