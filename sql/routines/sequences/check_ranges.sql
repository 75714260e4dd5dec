create or replace function lizsync.check_ranges(p_clone_id uuid, p_states jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- Looking for sequences in the catalogs takes a new session a third of all that a sync without changes does here.
declare
    v_sequences jsonb := lizsync.compared_sequences(p_clone_id, p_states);
    v_ranges jsonb;
begin
    if exists (select from lizsync.links as l where l.peer_id = p_clone_id and l.checked_sequences = v_sequences) then
        return '[]';
    end if;
    v_ranges := lizsync.renew_ranges(
        p_clone_id,
        array(
            select to_regclass(format('%I.%I', r.schema_name, r.table_name)) from lizsync.link_relations as r
            where r.peer_id = p_clone_id),
        p_states, false);
    -- which may have moved those of the central
    v_sequences := case when v_ranges = '[]' then lizsync.compared_sequences(p_clone_id, p_states) end;
    update lizsync.links as l
    set checked_sequences = v_sequences
    where l.peer_id = p_clone_id and l.checked_sequences is distinct from v_sequences;
    return v_ranges;
end
$function$;

comment on function lizsync.check_ranges(uuid, jsonb) is
    'On the central, with each sync: what lizsync.renew_ranges returns; when no sequence has moved since there was nothing to renew, [] at once.';
