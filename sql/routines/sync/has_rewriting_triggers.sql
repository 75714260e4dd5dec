create or replace function lizsync.has_rewriting_triggers(p_relation regclass)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select exists (
        select
        from pg_trigger as t
        where t.tgrelid in (select p_relation union select p.relid from pg_partition_tree(p_relation) as p)
          and not t.tgisinternal
          and t.tgenabled in ('A', 'R')
          and t.tgtype & 3 = 3  -- for each row, before
          and t.tgname not like 'lizsync\_audit\_%'
    )
$function$;

comment on function lizsync.has_rewriting_triggers(regclass) is
    'Whether a table has triggers that may change rows while synchronisation writes them: BEFORE ... FOR EACH ROW, ENABLE ALWAYS or REPLICA.';
