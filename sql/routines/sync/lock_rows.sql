create or replace function lizsync.lock_rows(p_relation regclass, p_action "char", p_batch integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- In the order of uid, as every sync does it, so that two of them wait for each other instead of deadlocking. Only a
-- delete needs the strongest lock; the weaker one lets users go on adding children to the row.
begin
    execute format('
        select 1 from %s as t
        where t.uid in (select i.uid from pg_temp.lizsync_incoming as i
                        where i.relation = $1 and i.batch = $2 and (i.action = ''D'') = $3)
        order by t.uid %s',
        p_relation, case p_action when 'D' then 'for update' else 'for no key update' end)
    using p_relation, p_batch, p_action = 'D';

    execute format('
        update pg_temp.lizsync_incoming as i
        set exists_here = true
        from %s as t
        where t.uid = i.uid and i.relation = $1 and i.batch = $2 and (i.action = ''D'') = $3',
        p_relation)
    using p_relation, p_batch, p_action = 'D';
end
$function$;

comment on function lizsync.lock_rows(regclass, "char", integer) is
    'Locks the rows that the incoming changes of a table touch (p_action D: those to delete, else the others) and notes which are there.';
