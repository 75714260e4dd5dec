-- Everything in the schemas of lizsync that a user could see, one line each: equal in two databases means that they have
-- the same schema. Works on servers for which there is no pg_dump.
select line
from (
    select format('schema %s %s', n.nspname, coalesce(n.nspacl, acldefault('n', n.nspowner))) as line
    from pg_namespace as n
    where n.nspname in ('audit', 'lizsync')
    union all
    select format('%s %s %s %s %s', c.relkind, c.oid::regclass, c.relpersistence,
        coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)), c.reloptions)
    from pg_class as c
    where c.relnamespace in (select oid from pg_namespace where nspname in ('audit', 'lizsync'))
    union all
    select format('column %s %s. %s %s %s %s %s %s', c.oid::regclass, a.attnum, a.attname,
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
        pg_get_expr(d.adbin, d.adrelid))
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
    left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace in (select oid from pg_namespace where nspname in ('audit', 'lizsync')) and c.relkind <> 'i'
    union all
    select format('constraint %s %s %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
    from pg_constraint as c
    where c.connamespace in (select oid from pg_namespace where nspname in ('audit', 'lizsync'))
    union all
    select format('index %s', pg_get_indexdef(i.indexrelid))
    from pg_index as i
    join pg_class as c on c.oid = i.indexrelid
    where c.relnamespace in (select oid from pg_namespace where nspname in ('audit', 'lizsync'))
    union all
    select format('sequence %s %s %s %s %s %s', s.seqrelid::regclass, s.seqtypid::regtype, s.seqstart, s.seqincrement,
        s.seqmax, s.seqcache)
    from pg_sequence as s
    join pg_class as c on c.oid = s.seqrelid
    where c.relnamespace in (select oid from pg_namespace where nspname in ('audit', 'lizsync'))
    union all
    select format('function %s %s %s', p.oid::regprocedure, coalesce(p.proacl, acldefault('f', p.proowner)),
        case when p.prokind = 'a' then 'aggregate' else pg_get_functiondef(p.oid) end)
    from pg_proc as p
    where p.pronamespace in (select oid from pg_namespace where nspname in ('audit', 'lizsync'))
    union all
    select format('trigger %s %s', t.tgenabled, pg_get_triggerdef(t.oid))
    from pg_trigger as t
    join pg_class as c on c.oid = t.tgrelid
    where c.relnamespace in (select oid from pg_namespace where nspname in ('audit', 'lizsync')) and not t.tgisinternal
    union all
    select format('comment on %s: %s', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description)
    from pg_description as d
    where pg_describe_object(d.classoid, d.objoid, d.objsubid) ~ '(audit|lizsync)'
    union all
    select format('migration %s %s %s', m.migration_number, m.migration_name, m.sha256)
    from lizsync.migrations as m
    union all
    select format('routines %s %s', r.sha256, r.triggers_sha256)
    from lizsync.applied_routines as r
) as everything
order by line collate "C"
