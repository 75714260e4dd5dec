create or replace function lizsync.try_rows(
    p_sync_id uuid,
    p_relation regclass,
    p_row_ids int4range,
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
    if isempty(p_row_ids) then
        return 0;
    end if;
    begin
        return lizsync.apply_rows(p_sync_id, p_relation, p_row_ids, p_replace);
    exception when others then
        if not lizsync.is_row_error(sqlstate) then
            raise;
        end if;
        v_sqlstate := sqlstate;
        v_message := sqlerrm;
    end;
    if upper(p_row_ids) - lower(p_row_ids) = 1 then
        update pg_temp.lizsync_incoming as i
        set state = 'f', sqlstate = v_sqlstate, message = v_message
        where i.row_id = lower(p_row_ids);
        return 0;
    end if;
    v_middle := (lower(p_row_ids) + upper(p_row_ids)) / 2;
    return lizsync.try_rows(p_sync_id, p_relation, int4range(lower(p_row_ids), v_middle), p_replace)
         + lizsync.try_rows(p_sync_id, p_relation, int4range(v_middle, upper(p_row_ids)), p_replace);
end
$function$;

comment on function lizsync.try_rows(uuid, regclass, int4range, boolean) is
    'lizsync.apply_rows for all rows or, if that fails, for halves of them; a row that fails alone gets state f.';
