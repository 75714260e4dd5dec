create or replace function lizsync.compared_sequences(p_clone_id uuid, p_states jsonb)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select jsonb_build_object(
        'clone', p_states,
        'central', jsonb_object_agg(s.sequence_id, lizsync.last_number(s.sequence))
    )
    from lizsync.sequences as s
    where exists (select from pg_class as c where c.oid = s.sequence)
      and exists (select from lizsync.sequence_ranges as r where r.sequence_id = s.sequence_id and r.clone_id = p_clone_id)
$function$;

comment on function lizsync.compared_sequences(uuid, jsonb) is
    'How far sequences are: those of a clone, as it says (lizsync.sequence_states), and those of this central of which it has ranges.';
