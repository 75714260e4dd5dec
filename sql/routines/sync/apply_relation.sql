create or replace function lizsync.apply_relation(p_relation regclass, p_from_row integer, p_to_row integer)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- All rows at once; if that fails, the halves, down to the rows that fail alone. Those are tried again together (they may
-- exchange unique values), then one by one as long as that helps (one may wait for what another one frees).
declare
    v_all_rows integer;
    v_failed integer;
    v_still_failed integer;
    v_row record;
begin
    select t.changed, t.failed into v_all_rows, v_failed
    from lizsync.try_rows(p_relation, p_from_row, p_to_row, false) as t;

    if v_failed > 0 then
        update pg_temp.lizsync_incoming as i
        set state = case i.state when 'f' then 'a' else 'd' end
        where i.row_id >= p_from_row and i.row_id < p_to_row and i.state in ('f', 'a');
        begin
            v_all_rows := v_all_rows + lizsync.apply_rows(p_relation, p_from_row, p_to_row, true);
            v_failed := 0;
        exception when others then
            if not lizsync.is_row_error(sqlstate) then
                raise;
            end if;
        end;

        while v_failed > 0 loop
            for v_row in
                select i.row_id
                from pg_temp.lizsync_incoming as i
                where i.row_id >= p_from_row and i.row_id < p_to_row and i.state in ('a', 'f')
                order by i.row_id
            loop
                update pg_temp.lizsync_incoming as i set state = 'a' where i.row_id = v_row.row_id;
                v_all_rows := v_all_rows + (
                    select t.changed from lizsync.try_rows(p_relation, v_row.row_id, v_row.row_id + 1, true) as t);
                update pg_temp.lizsync_incoming as i set state = 'd' where i.row_id = v_row.row_id and i.state = 'a';
            end loop;
            select count(*) into v_still_failed
            from pg_temp.lizsync_incoming as i
            where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'f';
            exit when v_still_failed = 0 or v_still_failed = v_failed;
            v_failed := v_still_failed;
        end loop;

        update pg_temp.lizsync_incoming as i
        set state = case i.state when 'f' then 'h' else 'a' end
        where i.row_id >= p_from_row and i.row_id < p_to_row and i.state in ('f', 'd', 'a');
    end if;
    return v_all_rows;
end
$function$;

comment on function lizsync.apply_relation(regclass, integer, integer) is
    'Applies rows of lizsync_incoming to one table; those that the table refuses get state h. Returns how many rows changed.';
