-- Statements that create the text search dictionaries $1.
select
    'pg_ts_dict' as catalog,
    d.oid as oid,
    format(
        'create text search dictionary %I.%I (template = %I.%I%s);',
        n.nspname, d.dictname, tn.nspname, t.tmplname, ', ' || d.dictinitoption
    ) as statement
from pg_catalog.pg_ts_dict as d
join pg_catalog.pg_namespace as n on n.oid = d.dictnamespace
join pg_catalog.pg_ts_template as t on t.oid = d.dicttemplate
join pg_catalog.pg_namespace as tn on tn.oid = t.tmplnamespace
where d.oid = any ($1::oid[])
