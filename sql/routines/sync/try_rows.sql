create or replace function lizsync.try_rows(
    p_relation regclass,
    p_from_row integer,
    p_to_row integer,
    p_replace boolean
)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_middle integer;
    v_sqlstate text;
    v_message text;
begin
    if p_from_row >= p_to_row then
        return 0;
    end if;
    begin
        return lizsync.apply_rows(p_relation, p_from_row, p_to_row, p_replace);
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
        return 0;
    end if;
    v_middle := (p_from_row + p_to_row) / 2;
    return lizsync.try_rows(p_relation, p_from_row, v_middle, p_replace)
         + lizsync.try_rows(p_relation, v_middle, p_to_row, p_replace);
end
$function$;

comment on function lizsync.try_rows(regclass, integer, integer, boolean) is
    'lizsync.apply_rows for all rows or, if that fails, for halves of them; a row that fails alone gets state f.';
