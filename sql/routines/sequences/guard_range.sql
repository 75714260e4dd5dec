create or replace function lizsync.guard_range(p_table regclass, p_unlogged_columns text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- Statement triggers fire for the table that the statement names, so partitions need it, too.
declare
    v_sequences text;
begin
    if exists (select from lizsync.server_metadata as m where m.server_role = 'clone') then
        select string_agg(format('%L', format('%I.%I', n.nspname, c.relname)), ', ' order by s.sequence) into v_sequences
        from lizsync.feeding_sequences(array[p_table]) as s
        join pg_class as c on c.oid = s.sequence
        join pg_namespace as n on n.oid = c.relnamespace
        where exists (
            select from unnest(s.columns) as f (name)
            where (parse_ident(f.name))[3] <> all (coalesce(p_unlogged_columns, '{}'))
        );
    end if;
    if v_sequences is not null then
        execute format(
            'create or replace trigger lizsync_audit_range before insert on %s for each statement '
                'execute function lizsync.warn_of_used_range(%s)',
            p_table, v_sequences);
    elsif exists (select from pg_trigger as t where t.tgrelid = p_table and t.tgname = 'lizsync_audit_range') then
        execute format('drop trigger lizsync_audit_range on %s', p_table);
    end if;
end
$function$;

comment on function lizsync.guard_range(regclass, text[]) is
    'On a clone, makes the trigger that warns when a sequence that feeds columns of a table has no number left, if there is such a sequence.';
