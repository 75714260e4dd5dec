create or replace function lizsync.warn_of_used_range()
returns trigger
language plpgsql
security definer
as $function$
-- Runs before each insert on a clone. Whether the statement draws numbers is not known yet, so it may go on: if it draws,
-- PostgreSQL's own error follows. Must never fail, and costs a few microseconds: no settings, no catalog is queried.
declare
    v_sequence pg_catalog.regclass;
    v_limits record;
begin
    for v_number in 0 .. tg_nargs operator(pg_catalog.-) 1 loop
        v_sequence := pg_catalog.to_regclass(tg_argv[v_number]);
        -- one that was renamed, or that the owner of lizsync may not read
        continue when v_sequence is null or not pg_catalog.has_sequence_privilege(v_sequence, 'usage, select');
        v_limits := pg_catalog.pg_sequence_parameters(v_sequence);
        if (case
            when v_limits.cycle_option then false
            when v_limits.increment operator(pg_catalog.>) 0 then
                pg_catalog.pg_sequence_last_value(v_sequence)::pg_catalog.numeric operator(pg_catalog.>)
                    (v_limits.maximum_value::pg_catalog.numeric operator(pg_catalog.-) v_limits.increment::pg_catalog.numeric)
            else
                pg_catalog.pg_sequence_last_value(v_sequence)::pg_catalog.numeric operator(pg_catalog.<)
                    (v_limits.minimum_value::pg_catalog.numeric operator(pg_catalog.-) v_limits.increment::pg_catalog.numeric)
        end) then
            raise warning using
                message = pg_catalog.format('the numbers that this clone has of the sequence %s are used up', tg_argv[v_number]),
                hint = 'Synchronise, and it gets more: lizsync sync, or select * from lizsync.synchronize(); until then '
                    'only rows that bring their own numbers can be inserted.';
        end if;
    end loop;
    return null;
end
$function$;

comment on function lizsync.warn_of_used_range() is
    'Trigger before each insert on a clone: warns when a sequence that its arguments name has no number left, and says what to do.';
