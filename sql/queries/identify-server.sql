-- Who a database of lizsync is, and which version of the schema it has. No parameters; one row, or an error without lizsync.
select
    s.server_id,
    s.server_name,
    s.server_role,
    (select max(m.migration_number) from lizsync.migrations as m) as migration_number,
    r.sha256 as routines_sha256,
    r.tool_version,
    (
        select pg_catalog.jsonb_object_agg(e.extname, n.nspname)
        from pg_catalog.pg_extension as e
        join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
        where e.extname in ('hstore', 'dblink')
    ) as extension_schemas
from lizsync.server_metadata as s
left join lizsync.applied_routines as r on true;
