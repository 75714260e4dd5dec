-- Statements that give the bare tables, or views, $1 the rest of their definition, in the order in which they must run.
-- before_data: runs before the rows are loaded. catalog and oid: what a statement creates, where it creates something.
-- roles: those that a policy names, as its line "to ..." does; null: none.
with
t as (
    select c.oid, c.relkind, c.relispartition, c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.reloftype,
           w.position, format('%I.%I', n.nspname, c.relname) as name
    from unnest($1::oid[]) with ordinality as w (oid, position)
    join pg_catalog.pg_class as c on c.oid = w.oid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
),
a as (
    select a.*, t.name as table_name, t.relispartition, t.position,
           coalesce(nullif(to_jsonb(a) ->> 'attstattarget', '-1')::integer, -1) as statistics_target
    from pg_catalog.pg_attribute as a
    join t on t.oid = a.attrelid
    where a.attnum > 0 and not a.attisdropped
),
x as (
    select i.*, t.name as table_name, t.position, c.relname as index_name, c.relkind as index_kind,
           format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_index as i
    join t on t.oid = i.indrelid
    join pg_catalog.pg_class as c on c.oid = i.indexrelid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
)
select
    before_data,
    catalog,
    oid,
    (
        select array_agg(role::regrole::text order by place)
        from pg_catalog.pg_policy as p, unnest(p.polroles) with ordinality as r (role, place)
        where s.catalog = 'pg_policy' and p.oid = s.oid and role <> 0
    ) as roles,
    statement
from (
    -- defaults; those that a child of inheritance doesn't share with its parents too
    select
        true as before_data, 10 as step, a.position, a.attnum::bigint as place, '' as name,
        'pg_attrdef' as catalog, d.oid,
        case
            when d.oid is not null then
                format('alter table only %s alter column %I set default %s;', a.table_name, a.attname,
                    pg_get_expr(d.adbin, d.adrelid))
            else format('alter table only %s alter column %I drop default;', a.table_name, a.attname)
        end as statement
    from a
    left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attgenerated = '' and a.attidentity = ''
      and (d.oid is not null or not a.attislocal and not a.relispartition)
    union all
    select true, 11, a.position, a.attnum, '', null, null,
        format('alter table only %s alter column %I set not null;', a.table_name, a.attname)
    from a
    where a.attnotnull and not a.attislocal and not a.relispartition
      and current_setting('server_version_num')::integer < 180000
    union all
    select true, 11, t.position, 0, c.conname, 'pg_constraint', c.oid,
        format('alter table %s add constraint %I %s;', t.name, c.conname, pg_get_constraintdef(c.oid))
    from pg_catalog.pg_constraint as c
    join t on t.oid = c.conrelid and not t.relispartition
    join a on a.attrelid = c.conrelid and c.conkey = array[a.attnum] and not a.attislocal
    where c.contype = 'n' and c.convalidated and c.conislocal
    union all
    select true, 12, a.position, a.attnum, '', null, null,
        format('alter table only %s alter column %I set storage %s;', a.table_name, a.attname,
            case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end)
    from a
    join pg_catalog.pg_type as ty on ty.oid = a.atttypid
    where a.attstorage <> ty.typstorage
    union all
    select true, 13, a.position, a.attnum, '', null, null,
        format('alter table only %s alter column %I set compression %s;', a.table_name, a.attname,
            case a.attcompression when 'p' then 'pglz' else 'lz4' end)
    from a
    where a.attcompression <> ''
    union all
    select true, 14, a.position, a.attnum, '', null, null,
        format('alter table only %s alter column %I set statistics %s;', a.table_name, a.attname, a.statistics_target)
    from a
    where a.statistics_target >= 0
    union all
    select true, 15, a.position, a.attnum, '', null, null,
        format('alter table only %s alter column %I set (%s);', a.table_name, a.attname, options.list)
    from a
    cross join lateral (
        select string_agg(format('%I=%L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ') as list
        from unnest(a.attoptions) as o
        -- the server's own counter of changes to the column, since the minor releases of November 2026
        where o not like 'pg\_attver=%'
    ) as options
    where options.list is not null
    union all
    select true, 16, t.position, 0, '', null, null,
        format('alter table only %s of %s;', t.name, format_type(t.reloftype, null))
    from t
    where t.reloftype <> 0
    union all
    select
        c.convalidated, case when c.convalidated then 20 else 55 end, t.position, 0, c.conname, 'pg_constraint', c.oid,
        format('alter table %s add constraint %I %s;', t.name, c.conname, pg_get_constraintdef(c.oid))
    from pg_catalog.pg_constraint as c
    join t on t.oid = c.conrelid
    -- what is not valid comes later, when partitions get it from their root
    where c.contype = 'c' and (c.conislocal or t.relispartition and c.convalidated)
    union all
    select true, 30, t.position, 0, t.name, null, null,
        format('alter table only %s attach partition %s %s;', i.inhparent::regclass, t.name,
            pg_get_expr(c.relpartbound, c.oid))
    from t
    join pg_catalog.pg_inherits as i on i.inhrelid = t.oid
    join pg_catalog.pg_class as c on c.oid = t.oid
    where t.relispartition
    union all
    select true, 31, t.position, d.refobjsubid, s.relname, null, null,
        format('alter sequence %I.%I owned by %s.%I;', n.nspname, s.relname, t.name, at.attname)
    from t
    join pg_catalog.pg_depend as d
      on d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
      and d.refobjid = t.oid and d.deptype = 'a'
    join pg_catalog.pg_class as s on s.oid = d.objid and s.relkind = 'S'
    join pg_catalog.pg_namespace as n on n.oid = s.relnamespace
    join pg_catalog.pg_attribute as at on at.attrelid = t.oid and at.attnum = d.refobjsubid

    union all
    -- in the order in which they were made: where two fit, a foreign key takes the first. Indexes with exclusion can't be
    -- attached to that of the root: it makes them, and they get their names.
    select false, 40, x.position, 2 * x.indexrelid::bigint, c.conname, 'pg_constraint', c.oid,
        case
            when x.indisexclusion and c.conparentid <> 0 then
                format('do %L;', format(
                    $body$
declare
    v_name name;
begin
    select c.conname into v_name
    from pg_catalog.pg_constraint as c
    join pg_catalog.pg_constraint as p on p.oid = c.conparentid
    where c.conrelid = %1$L::pg_catalog.regclass and p.conrelid = %2$L::pg_catalog.regclass and p.conname = %3$L;
    if v_name <> %4$L then
        execute pg_catalog.format('alter table %1$s rename constraint %%I to %%I', v_name, %4$L);
    end if;
end$body$,
                    x.table_name, parent.conrelid::regclass, parent.conname, c.conname))
            else
                format('alter table %s%s add constraint %I %s;', case when x.indisexclusion then '' else 'only ' end,
                    x.table_name, c.conname, pg_get_constraintdef(c.oid))
        end
    from x
    join pg_catalog.pg_constraint as c on c.conindid = x.indexrelid and c.conrelid = x.indrelid
    left join pg_catalog.pg_constraint as parent on parent.oid = c.conparentid
    where c.contype in ('p', 'u', 'x')
    union all
    -- the definition of a constraint doesn't have the options of its index
    select false, 40, x.position, 2 * x.indexrelid::bigint + 1, c.conname, null, null,
        format('alter index %s set (%s);', x.name, options.list)
    from x
    join pg_catalog.pg_constraint as c on c.conindid = x.indexrelid and c.conrelid = x.indrelid
    cross join lateral (
        select string_agg(format('%I=%L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ') as list
        from pg_catalog.pg_class as i, unnest(i.reloptions) as o
        where i.oid = x.indexrelid
    ) as options
    where c.contype in ('p', 'u', 'x') and options.list is not null
    union all
    select false, 41, x.position, x.indexrelid::bigint, x.index_name, 'pg_class', x.indexrelid,
        pg_get_indexdef(x.indexrelid) || ';'
    from x
    where (x.indisvalid or x.index_kind = 'I')
      and not exists (
          select from pg_catalog.pg_constraint as c
          where c.conindid = x.indexrelid and c.conrelid = x.indrelid and c.contype in ('p', 'u', 'x')
      )
    union all
    select false, 42, x.position, 0, x.index_name, null, null,
        format('alter index %s attach partition %s;', i.inhparent::regclass, x.name)
    from x
    join pg_catalog.pg_inherits as i on i.inhrelid = x.indexrelid
    where not x.indisexclusion
    union all
    select false, 43, x.position, ia.attnum, x.index_name, null, null,
        format('alter index %s alter column %s set statistics %s;', x.name, ia.attnum,
            to_jsonb(ia) ->> 'attstattarget')
    from x
    join pg_catalog.pg_attribute as ia on ia.attrelid = x.indexrelid
    where coalesce((to_jsonb(ia) ->> 'attstattarget')::integer, -1) >= 0
    union all
    select false, 44, x.position, 0, x.index_name, null, null,
        format('alter table only %s cluster on %I;', x.table_name, x.index_name)
    from x
    where x.indisclustered
    union all
    select false, 45, x.position, 0, x.index_name, null, null,
        format('alter table only %s replica identity using index %I;', x.table_name, x.index_name)
    from x
    where x.indisreplident
    union all
    select false, 46, t.position, 0, '', null, null,
        format('alter table only %s replica identity %s;', t.name,
            case t.relreplident when 'f' then 'full' else 'nothing' end)
    from t
    where t.relreplident in ('f', 'n') and t.relkind in ('r', 'p')
    union all
    select false, 47, t.position, 0, s.stxname, 'pg_statistic_ext', s.oid,
        pg_get_statisticsobjdef(s.oid) || ';'
        || coalesce(
            (
                select format(E'\nalter statistics %I.%I set statistics %s;', n.nspname, s.stxname, target.value)
                from (select nullif(to_jsonb(s) ->> 'stxstattarget', '-1') as value) as target
                where target.value is not null
            ),
            ''
        )
    from pg_catalog.pg_statistic_ext as s
    join pg_catalog.pg_namespace as n on n.oid = s.stxnamespace
    join t on t.oid = s.stxrelid
    union all
    -- PostgreSQL 18 keeps "not null" as a constraint, which need not be valid
    select false, 56, t.position, 0, c.conname, 'pg_constraint', c.oid,
        format('alter table only %s add constraint %I %s;', t.name, c.conname, pg_get_constraintdef(c.oid))
    from pg_catalog.pg_constraint as c
    join t on t.oid = c.conrelid
    where c.contype = 'n' and not c.convalidated and c.conislocal
    union all
    select false, 60, t.position, 0, c.conname, 'pg_constraint', c.oid,
        format('alter table %s add constraint %I %s;', t.name, c.conname, pg_get_constraintdef(c.oid))
    from pg_catalog.pg_constraint as c
    join t on t.oid = c.conrelid
    where c.contype = 'f' and c.conparentid = 0 and c.confrelid = any ($1)
    union all
    select false, 70, t.position, 0, r.rulename, 'pg_rewrite', r.oid,
        pg_get_ruledef(r.oid)
        || case r.ev_enabled
            when 'D' then format(E'\nalter table %s disable rule %I;', t.name, r.rulename)
            when 'A' then format(E'\nalter table %s enable always rule %I;', t.name, r.rulename)
            when 'R' then format(E'\nalter table %s enable replica rule %I;', t.name, r.rulename)
            else ''
        end
    from pg_catalog.pg_rewrite as r
    join t on t.oid = r.ev_class
    where r.rulename <> '_RETURN'
    union all
    select false, 71, t.position, 0, g.tgname, 'pg_trigger', g.oid, pg_get_triggerdef(g.oid) || ';'
    from pg_catalog.pg_trigger as g
    join t on t.oid = g.tgrelid
    where not g.tgisinternal and g.tgparentid = 0 and g.tgname not like 'lizsync\_audit\_%'
    union all
    -- whether it fires is a matter of each partition
    select false, 72, t.position, 0, g.tgname, null, null,
        format('alter table only %s %s trigger %I;', t.name,
            case g.tgenabled
                when 'D' then 'disable' when 'A' then 'enable always' when 'R' then 'enable replica' else 'enable'
            end,
            g.tgname)
    from pg_catalog.pg_trigger as g
    join t on t.oid = g.tgrelid
    left join pg_catalog.pg_trigger as p on p.oid = g.tgparentid
    where g.tgname not like 'lizsync\_audit\_%'
      -- those of foreign keys are internal; so are, up to PostgreSQL 14, those that a partition has from its root
      and not coalesce(p.tgisinternal, g.tgisinternal)
      and g.tgenabled <> coalesce(p.tgenabled, 'O')
    union all
    select false, 73, t.position, 0, p.polname, 'pg_policy', p.oid,
        format(E'create policy %I on %s as %s for %s\n    to %s%s%s;', p.polname, t.name,
            case when p.polpermissive then 'permissive' else 'restrictive' end,
            case p.polcmd
                when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all'
            end,
            (
                select string_agg(case when role = 0 then 'public' else role::regrole::text end, ', ' order by place)
                from unnest(p.polroles) with ordinality as r (role, place)
            ),
            E'\n    using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
            E'\n    with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    from pg_catalog.pg_policy as p
    join t on t.oid = p.polrelid
    union all
    select false, 74, t.position, 0, '', null, null, format('alter table only %s enable row level security;', t.name)
    from t
    where t.relrowsecurity
    union all
    select false, 75, t.position, 0, '', null, null, format('alter table only %s force row level security;', t.name)
    from t
    where t.relforcerowsecurity
) as s
order by step, position, place, name collate "C"
