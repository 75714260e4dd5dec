create or replace function lizsync.lock_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_skip_locked boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
-- somebody may leave a row locked for hours: the others don't wait for that
set lock_timeout = '5s'
as $function$
-- In the order of uid, as every sync does it, so that two of them wait for each other instead of deadlocking. Only a
-- delete needs the strongest lock; the weaker one lets users go on adding children to the row.
-- A change says whether it takes the row to be here. Where that is so for all, which their number tells, there is nothing to note.
declare
    v_deletes bigint;
    v_updates bigint;
    v_inserts bigint;
    v_action text;
    v_lock text;
    v_count text;
    v_found bigint;
    v_found_inserts bigint;
    v_locked uuid[];
    v_as_supposed boolean := true;
begin
    select count(*) filter (where i.action = 'D'), count(*) filter (where i.action = 'U'), count(*) filter (where i.action = 'I')
    into v_deletes, v_updates, v_inserts
    from pg_temp.lizsync_incoming as i
    where i.row_id >= p_from_row and i.row_id < p_to_row;

    foreach v_action in array array['D', 'U'] loop
        continue when case v_action when 'D' then v_deletes else v_updates + v_inserts end = 0;
        v_lock := format($sql$
            select i.uid, i.action
            from pg_temp.lizsync_incoming as i
            join %s as t on t.uid = i.uid
            where i.row_id >= $1 and i.row_id < $2 and (i.action = 'D') = $3
            order by i.uid %s of t$sql$,
            p_relation, case v_action when 'D' then 'for update' else 'for no key update' end);
        v_count := format($sql$select count(*), count(*) filter (where l.action = 'I') from (%s) as l$sql$, v_lock);
        v_locked := null;
        if p_skip_locked then
            begin
                execute v_count into v_found, v_found_inserts using p_from_row, p_to_row, v_action = 'D';
            exception when lock_not_available then
                execute format($sql$select coalesce(array_agg(l.uid), '{}') from (%s skip locked) as l$sql$, v_lock)
                into v_locked
                using p_from_row, p_to_row, v_action = 'D';
            end;
        else
            -- a row that one subtransaction locks and another one writes costs PostgreSQL a multixact
            execute v_count into v_found, v_found_inserts using p_from_row, p_to_row, v_action = 'D';
        end if;
        continue when v_locked is null and v_found_inserts = 0 and v_found = case v_action when 'D' then v_deletes else v_updates end;

        v_as_supposed := false;
        execute format($sql$
            update pg_temp.lizsync_incoming as i
            set exists_here = not i.exists_here
            where i.row_id >= $1 and i.row_id < $2 and (i.action = 'D') = $3
              and exists (select from %s as t where t.uid = i.uid) <> i.exists_here$sql$,
            p_relation)
        using p_from_row, p_to_row, v_action = 'D';

        if v_locked is not null then
            update pg_temp.lizsync_incoming as i
            set state = 'h', sqlstate = '55P03', message = 'somebody has locked the row for a long time'
            where i.row_id >= p_from_row and i.row_id < p_to_row and (i.action = 'D') = (v_action = 'D')
              and i.exists_here and i.uid <> all (v_locked);
        end if;
    end loop;
    return v_as_supposed;
end
$function$;

comment on function lizsync.lock_rows(regclass, integer, integer, boolean) is
    'Locks the rows of a table that incoming changes touch and notes where they are not there, or there, against what the changes '
    'suppose; returns whether all is as supposed. Those that somebody else keeps locked get state h with p_skip_locked, else 55P03.';
