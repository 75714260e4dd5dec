create or replace function lizsync.try_rows(
    p_relation regclass,
    p_from_row integer,
    p_to_row integer,
    p_replace boolean,
    out changed integer,
    out failed integer
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_middle integer;
    v_half record;
    v_sqlstate text;
    v_message text;
begin
    changed := 0;
    failed := 0;
    if p_from_row >= p_to_row then
        return;
    end if;
    begin
        changed := lizsync.apply_rows(p_relation, p_from_row, p_to_row, p_replace);
        return;
    exception when others then
        if not lizsync.is_row_error(sqlstate) then
            raise;
        end if;
        v_sqlstate := sqlstate;
        v_message := sqlerrm;
    end;
    if p_to_row - p_from_row = 1 then
        update pg_temp.lizsync_incoming as i
        set state = 'f', sqlstate = v_sqlstate, message = v_message
        where i.row_id = p_from_row;
        failed := 1;
        return;
    end if;
    v_middle := (p_from_row + p_to_row) / 2;
    for v_half in
        select t.changed, t.failed
        from (values (p_from_row, v_middle), (v_middle, p_to_row)) as h (from_row, to_row)
        cross join lateral lizsync.try_rows(p_relation, h.from_row, h.to_row, p_replace) as t
    loop
        changed := changed + v_half.changed;
        failed := failed + v_half.failed;
    end loop;
end
$function$;

comment on function lizsync.try_rows(regclass, integer, integer, boolean) is
    'lizsync.apply_rows for all rows or, if that fails, for halves of them; a row that fails alone gets state f. Returns how many rows '
    'changed and how many failed.';
