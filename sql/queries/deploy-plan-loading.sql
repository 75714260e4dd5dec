-- What must be out of the way while the rows of the tables $1 (quoted names) are replaced: a statement before and one after.
-- Foreign keys of these tables and to them, since the tables refer to each other and are emptied; triggers, which would log
-- or change what is loaded; indexes of the tables $2 that nothing depends on: to build them is quicker than to fill them.
with
t as (
    select c.oid, c.relkind, c.relforcerowsecurity, wanted.name = any ($2::text[]) as is_large
    from unnest($1::text[]) as wanted (name)
    cross join lateral (
        select wanted.name::regclass as relid
        union
        select p.relid from pg_catalog.pg_partition_tree(wanted.name::regclass) as p
    ) as part
    join pg_catalog.pg_class as c on c.oid = part.relid
)
select plan.kind, plan.before, plan.after
from (
    select
        'index' as kind, x.indexrelid as oid,
        format('drop index %s;', x.indexrelid::regclass) as before,
        pg_get_indexdef(x.indexrelid) || ';' || coalesce(
            format(E'\ncomment on index %s is %L;', x.indexrelid::regclass, obj_description(x.indexrelid, 'pg_class')), ''
        ) as after
    from t
    join pg_catalog.pg_index as x on x.indrelid = t.oid
    join pg_catalog.pg_class as c on c.oid = x.indexrelid
    where t.is_large and t.relkind = 'r'
      and x.indisvalid and not x.indisclustered and not x.indisreplident
      and c.reltablespace = 0
      and not exists (select from pg_catalog.pg_constraint as k where k.conindid = x.indexrelid and k.contype <> 'f')
      and not exists (select from pg_catalog.pg_inherits as i where i.inhrelid = x.indexrelid)
      and not exists (
          select from pg_catalog.pg_attribute as a
          where a.attrelid = x.indexrelid and coalesce((to_jsonb(a) ->> 'attstattarget')::integer, -1) >= 0
      )
      and not exists (
          select from pg_catalog.pg_depend as d
          left join pg_catalog.pg_constraint as k on d.classid = 'pg_catalog.pg_constraint'::regclass and k.oid = d.objid
          where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = x.indexrelid
            and k.contype is distinct from 'f'
      )
    union all
    select
        'foreign key', k.oid,
        format('alter table %s drop constraint %I;', k.conrelid::regclass, k.conname),
        format('alter table %s add constraint %I %s;', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
        || coalesce(
            format(E'\ncomment on constraint %I on %s is %L;', k.conname, k.conrelid::regclass,
                obj_description(k.oid, 'pg_constraint')),
            ''
        )
    from pg_catalog.pg_constraint as k
    where k.contype = 'f' and k.conparentid = 0
      and (k.conrelid in (select t.oid from t) or k.confrelid in (select t.oid from t))
    union all
    select
        'trigger', g.oid,
        format('alter table only %s disable trigger %I;', t.oid::regclass, g.tgname),
        format('alter table only %s %s trigger %I;', t.oid::regclass,
            case g.tgenabled when 'A' then 'enable always' when 'R' then 'enable replica' else 'enable' end, g.tgname)
    from t
    join pg_catalog.pg_trigger as g on g.tgrelid = t.oid
    left join pg_catalog.pg_trigger as p on p.oid = g.tgparentid
    where g.tgenabled <> 'D' and not coalesce(p.tgisinternal, g.tgisinternal)
    union all
    select
        'row level security', t.oid,
        format('alter table only %s no force row level security;', t.oid::regclass),
        format('alter table only %s force row level security;', t.oid::regclass)
    from t
    where t.relforcerowsecurity
) as plan
order by plan.kind, plan.oid
