create or replace function lizsync.guard_sequence(p_sequence regclass, p_drawn numeric, p_barrier numeric, out refusal text, out hint text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- The definition of a sequence of the central stays as it is while it would take half a billion numbers to get to the
-- ranges of clones; this is looked at again with every sync. A smallint begins closer.
declare
    v_lock_timeout constant text := current_setting('lock_timeout');
    v_bound record;
begin
    select
        q.seqincrement > 0 as ascends,
        case when q.seqincrement > 0 then q.seqmax else - q.seqmin::numeric end as present,
        (p_barrier - p_drawn) / abs(q.seqincrement) as distance
    into v_bound
    from pg_sequence as q
    where q.seqrelid = p_sequence;
    if v_bound.distance >= 536870912 or v_bound.present < p_barrier then
        return;
    end if;
    begin
        -- the lock waits for every transaction that has drawn a number, and others that draw wait behind it
        perform set_config('lock_timeout', '2s', true);
        execute format('alter sequence %s %s %s', p_sequence,
            case when v_bound.ascends then 'maxvalue' else 'minvalue' end,
            case when v_bound.ascends then p_barrier - 1 else 1 - p_barrier end::bigint);
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

comment on function lizsync.guard_sequence(regclass, numeric, numeric) is
    'On the central, keeps a sequence that has drawn p_drawn from reaching p_barrier (both negated where it counts down) by its maxvalue, '
    'or minvalue, when that is near. Returns why that is not possible; null: it is kept out.';
