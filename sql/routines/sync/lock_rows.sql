create or replace function lizsync.lock_rows(p_relation regclass, p_action "char", p_batch integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
-- somebody may leave a row locked for hours: the others don't wait for that
set lock_timeout = '5s'
as $function$
-- In the order of uid, as every sync does it, so that two of them wait for each other instead of deadlocking. Only a
-- delete needs the strongest lock; the weaker one lets users go on adding children to the row.
declare
    v_lock constant text := format($sql$
        select t.uid
        from %s as t
        where t.uid in (select i.uid from pg_temp.lizsync_incoming as i
                        where i.relation = $1 and i.batch = $2 and (i.action = 'D') = $3)
        order by t.uid %s$sql$,
        p_relation, case p_action when 'D' then 'for update' else 'for no key update' end);
    v_locked uuid[];
begin
    begin
        execute v_lock using p_relation, p_batch, p_action = 'D';
    exception when lock_not_available then
        execute format('select coalesce(array_agg(l.uid), ''{}'') from (%s skip locked) as l', v_lock)
        into v_locked
        using p_relation, p_batch, p_action = 'D';
    end;

    execute format('
        update pg_temp.lizsync_incoming as i
        set exists_here = true
        from %s as t
        where t.uid = i.uid and i.relation = $1 and i.batch = $2 and (i.action = ''D'') = $3',
        p_relation)
    using p_relation, p_batch, p_action = 'D';

    if v_locked is not null then
        update pg_temp.lizsync_incoming as i
        set state = 'h', sqlstate = '55P03', message = 'somebody has locked the row for a long time'
        where i.relation = p_relation and i.batch = p_batch and (i.action = 'D') = (p_action = 'D')
          and i.exists_here and i.uid <> all (v_locked);
    end if;
end
$function$;

comment on function lizsync.lock_rows(regclass, "char", integer) is
    'Locks the rows that the incoming changes of a table touch (p_action D: those to delete, else the others) and notes which '
    'are there; those that somebody else keeps locked get state h.';
