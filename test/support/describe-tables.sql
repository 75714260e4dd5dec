-- What the catalogs say about the schemas $1, one line each: rows as they are, with names in the place of numbers that differ
-- from database to database. Equal in two databases means that the tables and all that belongs to them are equal.
with
n as (select oid, nspname from pg_namespace where nspname = any ($1::text[])),
c as (select pg_class.*, pg_class.oid::regclass::text as name from pg_class join n on n.oid = relnamespace where relkind <> 't'),
t as (select pg_type.*, pg_type.oid::regtype::text as name from pg_type join n on n.oid = typnamespace)
select line
from (
    select format('relation %s %s of %s %s in %s: %s', c.name, pg_get_expr(c.relpartbound, c.oid), c.reloftype::regtype,
        (select amname from pg_am where oid = c.relam),
        (select string_agg(inhparent::regclass::text, ', ' order by inhseqno) from pg_inherits where inhrelid = c.oid),
        to_jsonb(c) - array['oid', 'name', 'relnamespace', 'reltype', 'reloftype', 'relowner', 'relam', 'relfilenode', 'relpages',
            'reltuples', 'relallvisible', 'relallfrozen', 'reltoastrelid', 'relfrozenxid', 'relminmxid', 'relnatts', 'relacl',
            'relpartbound', 'relhasindex', 'relhastriggers', 'relhassubclass', 'relhasrules']) as line
    from c
    union all
    select format('toast of %s: %s', c.name, toast.reloptions)
    from c
    join pg_class as toast on toast.oid = c.reltoastrelid
    union all
    select format('column %s %s %s %s %s %s: %s', c.name, rank() over (partition by c.oid order by a.attnum), a.attname,
        format_type(a.atttypid, a.atttypmod), nullif(a.attcollation, 0)::regcollation, pg_get_expr(d.adbin, d.adrelid),
        to_jsonb(a) - array['attrelid', 'atttypid', 'attnum', 'attcollation', 'attacl', 'attcacheoff', 'atthasmissing',
            'attmissingval', 'attoptions']
        || jsonb_build_object('options', (select array_agg(o) from unnest(a.attoptions) as o where o not like 'pg\_attver=%')))
    from c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
    union all
    select format('constraint %s %s %s %s: %s', coalesce(c.name, t.name), con.conindid::regclass,
        (select conname from pg_constraint where oid = con.conparentid), pg_get_constraintdef(con.oid),
        to_jsonb(con) - array['oid', 'connamespace', 'conrelid', 'contypid', 'conindid', 'conparentid', 'confrelid', 'conkey',
            'confkey', 'conpfeqop', 'conppeqop', 'conffeqop', 'conexclop', 'conbin', 'confdelsetcols']
        -- of keys that are attached this depends on which came first, and means nothing
        - case when con.conparentid <> 0 and con.contype in ('p', 'u', 'x') then 'connoinherit' else '' end)
    from pg_constraint as con
    left join c on c.oid = con.conrelid
    left join t on t.oid = con.contypid
    where con.connamespace in (select oid from n)
    union all
    select format('index %s %s: %s', c.name, pg_get_indexdef(i.indexrelid),
        to_jsonb(i) - array['indexrelid', 'indrelid', 'indkey', 'indcollation', 'indclass', 'indexprs', 'indpred', 'indcheckxmin'])
    from c
    join pg_index as i on i.indexrelid = c.oid
    union all
    select format('trigger %s of %s: %s', pg_get_triggerdef(g.oid), (select tgname from pg_trigger where oid = g.tgparentid),
        to_jsonb(g) - array['oid', 'tgrelid', 'tgparentid', 'tgfoid', 'tgconstrrelid', 'tgconstrindid', 'tgconstraint', 'tgattr',
            'tgqual'])
    from c
    join pg_trigger as g on g.tgrelid = c.oid
    where not g.tgisinternal and g.tgname not like 'lizsync\_audit\_%'
    union all
    select format('policy %s %s: %s', c.name, pg_get_expr(p.polqual, p.polrelid),
        to_jsonb(p) - array['oid', 'polrelid', 'polqual', 'polwithcheck']
        || jsonb_build_object('check', pg_get_expr(p.polwithcheck, p.polrelid)))
    from c
    join pg_policy as p on p.polrelid = c.oid
    union all
    select format('rule %s %s', pg_get_ruledef(r.oid), r.ev_enabled) from c join pg_rewrite as r on r.ev_class = c.oid
    union all
    select format('statistics %s %s', pg_get_statisticsobjdef(s.oid), to_jsonb(s) ->> 'stxstattarget')
    from pg_statistic_ext as s
    where s.stxrelid in (select oid from c)
    union all
    select format('sequence %s of %s: %s', c.name,
        (
            select string_agg(pg_describe_object(refclassid, refobjid, refobjsubid) || deptype::text, ', ')
            from pg_depend
            where classid = 'pg_class'::regclass and objid = c.oid and deptype in ('a', 'i')
        ),
        to_jsonb(s) - 'seqrelid')
    from c
    join pg_sequence as s on s.seqrelid = c.oid
    union all
    select format('type %s %s %s %s %s: %s', t.name, format_type(t.typbasetype, t.typtypmod), nullif(t.typcollation, 0)::regcollation,
        coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault),
        (select array_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid),
        to_jsonb(t) - array['oid', 'name', 'typnamespace', 'typowner', 'typrelid', 'typelem', 'typarray', 'typbasetype',
            'typcollation', 'typdefaultbin', 'typacl'])
    from t
    union all
    select format('range %s %s %s %s %s %s', t.name, rngsubtype::regtype, rngmultitypid::regtype,
        nullif(rngcollation, 0)::regcollation, rngsubdiff, (select opcname from pg_opclass where oid = rngsubopc))
    from t
    join pg_range on rngtypid = t.oid
    union all
    select format('function %s', pg_get_functiondef(p.oid))
    from pg_proc as p
    where p.pronamespace in (select oid from n) and p.prokind in ('f', 'p', 'w')
    union all
    select format('collation %s: %s', l.oid::regcollation, to_jsonb(l) - array['oid', 'collnamespace', 'collowner'])
    from pg_collation as l
    where l.collnamespace in (select oid from n)
    union all
    select format('comment on %s: %s', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description)
    from pg_description as d
    cross join lateral pg_identify_object(d.classoid, d.objoid, 0) as i
    where d.objoid >= 16384 and (i.schema in (select quote_ident(nspname) from n) or i.identity ~ 'zoo\.|elsewhere\.')
) as everything
order by line collate "C"
