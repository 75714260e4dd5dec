create or replace function lizsync.describe_audit(p_relation regclass)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select string_agg(format('%s %s', t.tgenabled, pg_get_triggerdef(t.oid)), e'\n' order by t.tgrelid, t.tgname)
    from lizsync.partition_tree(p_relation) as p
    join pg_trigger as t on t.tgrelid = p.relation
    where t.tgname like 'lizsync\_audit\_%'
$function$;

comment on function lizsync.describe_audit(regclass) is
    'The audit triggers of a table and its partitions as text, to see whether they changed; null: it has none.';
