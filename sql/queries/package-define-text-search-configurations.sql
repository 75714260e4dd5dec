-- Statements that create the text search configurations $1 with their mappings.
select
    'pg_ts_config' as catalog,
    c.oid as oid,
    format('create text search configuration %I.%I (parser = %I.%I);', n.nspname, c.cfgname, pn.nspname, p.prsname)
    || coalesce(
        (
            select string_agg(
                format(E'\nalter text search configuration %I.%I add mapping for %I with %s;', n.nspname, c.cfgname,
                    mapping.alias, mapping.dictionaries),
                '' order by mapping.tokid
            )
            from (
                select t.tokid, t.alias,
                    string_agg(format('%I.%I', dn.nspname, d.dictname), ', ' order by m.mapseqno) as dictionaries
                from pg_catalog.pg_ts_config_map as m
                join pg_catalog.ts_token_type(c.cfgparser) as t on t.tokid = m.maptokentype
                join pg_catalog.pg_ts_dict as d on d.oid = m.mapdict
                join pg_catalog.pg_namespace as dn on dn.oid = d.dictnamespace
                where m.mapcfg = c.oid
                group by t.tokid, t.alias
            ) as mapping
        ),
        ''
    ) as statement
from pg_catalog.pg_ts_config as c
join pg_catalog.pg_namespace as n on n.oid = c.cfgnamespace
join pg_catalog.pg_ts_parser as p on p.oid = c.cfgparser
join pg_catalog.pg_namespace as pn on pn.oid = p.prsnamespace
where c.oid = any ($1::oid[])
