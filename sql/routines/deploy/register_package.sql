create or replace function lizsync.register_package(
    p_package_id uuid,
    p_snapshot pg_snapshot,
    p_manifest_sha256 text,
    p_schema_names text[],
    p_table_names text[]
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- names are compared as texts
set quote_all_identifiers = off
as $function$
begin
    perform from lizsync.server_metadata as m where m.server_role = 'central';
    if not found then
        raise exception using errcode = 'LZ001', message = 'packages are made from a central, and this database is none';
    end if;
    insert into lizsync.packages (package_id, snapshot, manifest_sha256, relations)
    values (
        p_package_id, p_snapshot, p_manifest_sha256,
        (
            select array_agg(format('%I.%I', t.schema_name, t.table_name) order by t.position)
            from unnest(p_schema_names, p_table_names) with ordinality as t (schema_name, table_name, position)
        )
    );
end
$function$;

comment on function lizsync.register_package(uuid, pg_snapshot, text, text[], text[]) is
    'Records a package that was made from this central: clones are deployed only from packages that it knows.';
