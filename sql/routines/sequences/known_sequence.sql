create or replace function lizsync.known_sequence(p_sequence regclass, p_columns text[])
returns integer
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select s.sequence_id
    from lizsync.sequences as s
    where s.sequence = p_sequence
       -- one that is gone, and fed the same columns
       or s.columns && p_columns and not exists (select from pg_sequence as q where q.seqrelid = s.sequence)
    order by (s.sequence = p_sequence) desc, s.sequence_id
    limit 1
$function$;

comment on function lizsync.known_sequence(regclass, text[]) is
    'The row of lizsync.sequences of a sequence that feeds these columns; null: no clone has had a range of it.';
