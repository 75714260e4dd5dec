create or replace function lizsync.sequence_states()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select coalesce(jsonb_agg(jsonb_build_object(
        'columns', s.columns,
        'lower', q.seqmin::text,
        'upper', q.seqmax::text,
        'drawn', case when has_sequence_privilege(s.sequence, 'usage, select') then pg_sequence_last_value(s.sequence) end::text
    )), '[]')
    from lizsync.feeding_sequences(array(
        select to_regclass(format('%I.%I', l.schema_name, l.table_name)) from lizsync.link_relations as l
    )) as s
    join pg_sequence as q on q.seqrelid = s.sequence
$function$;

comment on function lizsync.sequence_states() is
    'On a clone, the sequences that feed its synchronised columns: the columns, the bounds, and the last number that was drawn '
    '(null: none since the sequence was last set).';
