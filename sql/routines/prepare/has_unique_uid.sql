create or replace function lizsync.has_unique_uid(p_relation regclass)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select exists (
        select
        from pg_index as i
        join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = p_relation
          and a.attname = 'uid'
          and i.indnkeyatts = 1
          and i.indisunique
          and i.indimmediate
          and i.indisvalid
          and i.indpred is null
    )
$function$;

comment on function lizsync.has_unique_uid(regclass) is
    'Whether a constraint or index makes the column uid of a table unique at any moment.';
