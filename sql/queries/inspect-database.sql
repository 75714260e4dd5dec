-- What install and upgrade must know about a database before they touch it. One row, no parameters.
select
    current_setting('server_version') as server_version,
    current_setting('server_version_num')::integer as server_version_number,
    current_setting('default_transaction_read_only')::boolean as is_read_only,
    current_catalog::text as database_name,
    current_user::text as user_name,
    pg_catalog.has_database_privilege(current_catalog, 'create') as may_create_schemas,
    (select rolsuper from pg_catalog.pg_roles where rolname = current_user) as is_superuser,
    (
        select coalesce(pg_catalog.has_schema_privilege(n.oid, 'create'), false)
        from pg_catalog.pg_namespace as n
        where n.nspname = 'public'
    ) as may_create_in_public,
    (
        select coalesce(pg_catalog.jsonb_object_agg(n.nspname, pg_catalog.jsonb_build_object(
            'owner', r.rolname,
            'may_act_as_owner', pg_catalog.pg_has_role(n.nspowner, membership.kind),
            'objects', (
                -- what an extension brought along is not in the way
                select coalesce(pg_catalog.jsonb_agg(o.object_name order by o.object_name), '[]')
                from (
                    select c.oid, 'pg_catalog.pg_class'::pg_catalog.regclass as class_id, c.relname::text as object_name
                    from pg_catalog.pg_class as c
                    where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
                    union all
                    select p.oid, 'pg_catalog.pg_proc'::pg_catalog.regclass, p.proname || '()'
                    from pg_catalog.pg_proc as p
                    where p.pronamespace = n.oid
                    union all
                    select t.oid, 'pg_catalog.pg_type'::pg_catalog.regclass, t.typname::text
                    from pg_catalog.pg_type as t
                    left join pg_catalog.pg_class as c on c.oid = t.typrelid
                    where t.typnamespace = n.oid
                      and (t.typtype in ('d', 'e', 'r') or t.typtype = 'c' and c.relkind = 'c')
                ) as o
                where not exists (
                    select
                    from pg_catalog.pg_depend as d
                    where d.classid = o.class_id and d.objid = o.oid and d.deptype = 'e'
                )
            )
        )), '{}')
        from pg_catalog.pg_namespace as n
        join pg_catalog.pg_roles as r on r.oid = n.nspowner
        where n.nspname in ('audit', 'lizsync')
    ) as schemas,
    ledger.owner is not null as has_ledger,
    ledger.owner as ledger_owner,
    pg_catalog.pg_has_role(ledger.relowner, membership.kind) as may_act_as_ledger_owner,
    (
        select pg_catalog.jsonb_object_agg(wanted.name, pg_catalog.jsonb_build_object(
            'schema', n.nspname,
            'may_use_schema', pg_catalog.has_schema_privilege(n.oid, 'usage'),
            'is_available', v.name is not null,
            'is_trusted', coalesce(v.trusted, false)
        ))
        from (values ('hstore'), ('dblink')) as wanted (name)
        left join pg_catalog.pg_extension as e on e.extname = wanted.name
        left join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
        left join (
            select a.name, bool_or(av.trusted) as trusted
            from pg_catalog.pg_available_extensions as a
            join pg_catalog.pg_available_extension_versions as av on av.name = a.name and av.version = a.default_version
            group by a.name
        ) as v on v.name = wanted.name
    ) as extensions
from (values (
    case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end
)) as membership (kind)
left join (
    select c.relowner, r.rolname::text as owner
    from pg_catalog.pg_namespace as n
    join pg_catalog.pg_class as c on c.relnamespace = n.oid
    join pg_catalog.pg_roles as r on r.oid = c.relowner
    where n.nspname = 'lizsync'
      and c.relname = 'migrations'
      and (
          select count(*) = 5
          from pg_catalog.pg_attribute as a
          where a.attrelid = c.oid
            and a.attname in ('migration_number', 'migration_name', 'sha256', 'tool_version', 'applied_at')
      )
) as ledger on true;
