create or replace function lizsync.last_number(p_sequence regclass)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- pg_sequence_last_value would lock the sequence as nextval does, until the transaction ends: who has to alter it would wait.
declare
    v_value bigint;
begin
    execute format('select s.last_value from %s as s', p_sequence) into v_value;
    return v_value;
exception when insufficient_privilege then
    return null;
end
$function$;

comment on function lizsync.last_number(regclass) is
    'The last number that a sequence gave, or the one that it begins with; null: the owner of lizsync may not read it.';
