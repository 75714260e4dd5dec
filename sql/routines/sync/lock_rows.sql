create or replace function lizsync.lock_rows(p_batch integer, p_skip_locked boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
-- somebody may leave a row locked for hours: the others don't wait for that
set lock_timeout = '5s'
as $function$
-- Table by table in the order of uid, as every sync does it, so that two of them wait for each other instead of
-- deadlocking. Only a delete needs the strongest lock; the weaker one lets users go on adding children to the row.
-- A change says whether it takes the row to be here. Where that is so for all, which their number tells, there is nothing to note.
declare
    v_part record;
    v_lock text;
    v_count text;
    v_found bigint;
    v_found_inserts bigint;
    v_locked uuid[];
    v_as_supposed boolean := true;
begin
    for v_part in
        select r.relation, r.first_row, r.last_row, a.is_delete, a.supposed
        from pg_temp.lizsync_incoming_relations as r
        cross join lateral (
            values (1, true, r.deletes, r.deletes), (2, false, r.updates, r.updates + r.inserts)
        ) as a (position, is_delete, supposed, changes)
        where r.batch = p_batch and a.changes > 0
        order by r.schema_name, r.table_name, a.position
    loop
        v_lock := format($sql$
            select i.uid, i.action
            from pg_temp.lizsync_incoming as i
            join %s as t on t.uid = i.uid
            where i.row_id >= $1 and i.row_id <= $2 and (i.action = 'D') = $3
            order by i.uid %s of t$sql$,
            v_part.relation, case when v_part.is_delete then 'for update' else 'for no key update' end);
        v_count := format($sql$select count(*), count(*) filter (where l.action = 'I') from (%s) as l$sql$, v_lock);
        v_locked := null;
        if p_skip_locked then
            begin
                execute v_count into v_found, v_found_inserts using v_part.first_row, v_part.last_row, v_part.is_delete;
            exception when lock_not_available then
                execute format($sql$select coalesce(array_agg(l.uid), '{}') from (%s skip locked) as l$sql$, v_lock)
                into v_locked
                using v_part.first_row, v_part.last_row, v_part.is_delete;
            end;
        else
            -- a row that one subtransaction locks and another one writes costs PostgreSQL a multixact
            execute v_count into v_found, v_found_inserts using v_part.first_row, v_part.last_row, v_part.is_delete;
        end if;
        continue when v_locked is null and v_found_inserts = 0 and v_found = v_part.supposed;

        v_as_supposed := false;
        execute format($sql$
            update pg_temp.lizsync_incoming as i
            set exists_here = not i.exists_here
            where i.row_id >= $1 and i.row_id <= $2 and (i.action = 'D') = $3
              and exists (select from %s as t where t.uid = i.uid) <> i.exists_here$sql$,
            v_part.relation)
        using v_part.first_row, v_part.last_row, v_part.is_delete;

        if v_locked is not null then
            update pg_temp.lizsync_incoming as i
            set state = 'h', sqlstate = '55P03', message = 'somebody has locked the row for a long time'
            where i.row_id >= v_part.first_row and i.row_id <= v_part.last_row and (i.action = 'D') = v_part.is_delete
              and i.exists_here and i.uid <> all (v_locked);
        end if;
    end loop;
    return v_as_supposed;
end
$function$;

comment on function lizsync.lock_rows(integer, boolean) is
    'Locks the rows that incoming changes of a batch touch and notes where they are not there, or there, against what the changes '
    'suppose; returns whether all is as supposed. Those that somebody else keeps locked get state h with p_skip_locked, else 55P03.';
