create or replace function lizsync.register_clone(
    p_package_id uuid,
    p_manifest_sha256 text,
    p_clone_id uuid,
    p_clone_name text,
    p_clone_system_identifier bigint,
    p_clone_database_oid oid,
    p_clone_position pg_snapshot,
    p_sync_id uuid,
    p_clone_transaction_id xid8,
    p_sequence_states jsonb
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- names are compared as texts
set quote_all_identifiers = off
as $function$
-- The clone commits after this, or does not. Until it is known to have done so, its link stays as it was.
declare
    v_package lizsync.packages;
    v_pruned_before xid8;
    v_missing text;
begin
    select * into v_package
    from lizsync.packages as p
    where p.package_id = p_package_id and p.manifest_sha256 = p_manifest_sha256;
    if not found then
        raise exception using errcode = 'LZ001',
            message = format('the central does not know the package %s', p_package_id),
            hint = 'Deploy a package that was made from this central with lizsync package.';
    end if;
    -- lizsync.prune_central looks under the same lock for those who need old events
    select m.pruned_before into v_pruned_before from lizsync.server_metadata as m for share;
    if v_pruned_before > pg_snapshot_xmin(v_package.snapshot) then
        raise exception using errcode = 'LZ001',
            message = 'the package is too old: the central has removed events from its log that were logged after it was made',
            hint = 'Make a new package: lizsync package --central';
    end if;
    if p_clone_id = lizsync.server_id() then
        raise exception using errcode = 'LZ001', message = 'the central cannot be its own clone',
            hint = 'Deploy into another database.';
    end if;
    select string_agg(r.relation, ', ') into v_missing
    from unnest(v_package.relations) as r (relation)
    where not exists (
        select from audit.logged_relations as l
        where format('%I.%I', l.schema_name, l.table_name) = r.relation
    );
    if v_missing is not null then
        raise exception using errcode = 'LZ001',
            message = format('the central no longer audits tables of the package: %s', v_missing),
            hint = 'Make a new package: lizsync package --central';
    end if;

    insert into lizsync.deployments as d (
        clone_id, clone_name, clone_system_identifier, clone_database_oid, clone_position, clone_transaction_id, sync_id, package_id
    )
    values (
        p_clone_id, p_clone_name, p_clone_system_identifier, p_clone_database_oid, p_clone_position, p_clone_transaction_id,
        p_sync_id, p_package_id
    )
    on conflict (clone_id) do update
    set clone_name = excluded.clone_name,
        clone_system_identifier = excluded.clone_system_identifier,
        clone_database_oid = excluded.clone_database_oid,
        clone_position = excluded.clone_position,
        clone_transaction_id = excluded.clone_transaction_id,
        sync_id = excluded.sync_id,
        package_id = excluded.package_id,
        created_at = clock_timestamp();

    -- What the clone had sent after the package was made would be left out of its first pull as its own, and be missing.
    perform
    from audit.logged_actions as e
    where e.transaction_id >= pg_snapshot_xmin(v_package.snapshot)
      and not pg_visible_in_snapshot(e.transaction_id, v_package.snapshot)
      and p_clone_id in (e.origin_server_id, e.received_from)
    limit 1;
    if found then
        raise exception using errcode = 'LZ001',
            message = 'the package is older than changes that the clone has sent to the central',
            hint = 'Make a new package: lizsync package --central. Or give the clone a new identity: --new-id';
    end if;

    return lizsync.renew_ranges(
        p_clone_id, array(select to_regclass(r.relation) from unnest(v_package.relations) as r (relation)), p_sequence_states, true);
end
$function$;

comment on function lizsync.register_clone(uuid, text, uuid, text, bigint, oid, pg_snapshot, uuid, xid8, jsonb) is
    'On the central, before the clone commits its deployment: checks it and notes it. lizsync.confirm_deployment makes it count. '
    'p_sequence_states: what lizsync.sequence_states said before, of a clone that is deployed anew. Returns what lizsync.set_ranges takes.';
