create or replace function lizsync.open_sync(p_clone_state jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_server lizsync.server_metadata;
    v_link lizsync.links;
    v_fingerprints jsonb;
    v_version integer;
    v_adopted integer;
    v_ahead jsonb;
begin
    select m.* into v_server from lizsync.server_metadata as m;
    if v_server.server_role is distinct from 'central' then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is not a central', current_database()),
            hint = 'Name the central database with --central.';
    end if;
    if (p_clone_state ->> 'central_id')::uuid <> v_server.server_id then
        raise exception using
            errcode = 'LZ002',
            message = format('the clone %s belongs to another central than %s', p_clone_state ->> 'server_name', v_server.server_name),
            hint = 'Name the central that the clone was deployed from.';
    end if;
    if lizsync.incarnation() <> lizsync.incarnation_of(v_server.system_identifier, v_server.database_oid) then
        raise exception using
            errcode = 'LZ001',
            message = format('the central %s is a copy or was restored from a dump', v_server.server_name),
            detail = 'What its clones have received is counted in transactions of the original.',
            hint = 'Use the original. If this one was moved here (pg_upgrade) and takes its place: lizsync upgrade --central --moved. '
                   'If the original is lost and this one was restored from a dump: make new packages of it and deploy them to the clones.';
    end if;
    select max(g.migration_number) into v_version from lizsync.migrations as g;
    if (p_clone_state ->> 'schema_version')::integer <> v_version then
        raise exception using
            errcode = 'LZ001',
            message = format('central and clone have different versions of lizsync (%s and %s)', v_version, p_clone_state ->> 'schema_version'),
            hint = format('Run: lizsync upgrade %s',
                case when v_version < (p_clone_state ->> 'schema_version')::integer then '--central' else '--clone' end);
    end if;

    -- the clone has committed a deployment whose end the central did not hear of
    perform lizsync.confirm_deployment((p_clone_state ->> 'server_id')::uuid, (p_clone_state ->> 'last_sync_id')::uuid);
    perform lizsync.lock_link((p_clone_state ->> 'server_id')::uuid);
    select l.* into v_link from lizsync.links as l where l.peer_id = (p_clone_state ->> 'server_id')::uuid;
    if not found or v_link.retired_at is not null then
        raise exception using
            errcode = 'LZ001',
            message = format('the central %s does not know the clone %s%s', v_server.server_name, p_clone_state ->> 'server_name',
                             case when v_link.retired_at is not null then ' any more: it was retired' else '' end),
            hint = 'Deploy a package to the clone; lizsync deploy --force writes what it has not sent to a file before.';
    end if;
    -- the clone was moved, and has said so
    if p_clone_state -> 'former_incarnations' @> jsonb_build_array(
        lizsync.incarnation_of(v_link.peer_system_identifier, v_link.peer_database_oid)) then
        update lizsync.links as l
        set peer_system_identifier = (p_clone_state #>> '{incarnation,system_identifier}')::bigint,
            peer_database_oid = (p_clone_state #>> '{incarnation,database_oid}')::oid
        where l.peer_id = v_link.peer_id
        returning l.* into v_link;
    end if;
    if lizsync.incarnation_of(v_link.peer_system_identifier, v_link.peer_database_oid) is distinct from p_clone_state -> 'incarnation'
       or pg_snapshot_xmax(v_link.position) > pg_snapshot_xmax((p_clone_state ->> 'current_position')::pg_snapshot) then
        raise exception using
            errcode = 'LZ001',
            message = format('the clone %s is not the one that the central knows: it is a copy, or was restored from a backup',
                             p_clone_state ->> 'server_name'),
            detail = 'The central has received changes that this clone does not have.',
            hint = 'Deploy a package to it; with --new-id if the original is still in use.';
    end if;
    if pg_snapshot_xmax((p_clone_state ->> 'position')::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) then
        raise exception using
            errcode = 'LZ001',
            message = format('the central %s has gone back in time: the clone has received later changes', v_server.server_name),
            hint = 'Make a new package of the central and deploy it to the clone.';
    end if;

    update lizsync.links as l
    set peer_encoding = p_clone_state ->> 'encoding'
    where l.peer_id = v_link.peer_id and l.peer_encoding is distinct from p_clone_state ->> 'encoding';

    v_ahead := lizsync.ahead_positions(v_link.peer_id);
    v_adopted := lizsync.adopt_partitions();
    v_fingerprints := lizsync.relation_fingerprints(v_link.peer_id, nullif(p_clone_state -> 'tables', 'null'));
    return jsonb_build_object(
        'server_id', v_server.server_id,
        'server_name', v_server.server_name,
        'adopted_partitions', v_adopted,
        'position', v_link.position,
        'ahead', v_ahead,
        'stage', lizsync.offer_stage(v_link.peer_id, v_ahead, nullif(p_clone_state -> 'tables', 'null')),
        'last_sync_id', v_link.last_sync_id,
        'last_sync_transaction_id', v_link.last_sync_transaction_id,
        'knows_last_sync_of_clone', exists (
            select from lizsync.history as h
            where h.peer_id = v_link.peer_id and h.sync_id = (p_clone_state ->> 'last_sync_id')::uuid),
        'different_tables', (
            select coalesce(jsonb_agg(t.table_name), '[]')
            from (
                select jsonb_object_keys(v_fingerprints || (p_clone_state -> 'fingerprints')) as table_name
            ) as t
            where v_fingerprints -> t.table_name is distinct from p_clone_state -> 'fingerprints' -> t.table_name
               or v_fingerprints -> t.table_name = 'null'
        ),
        'encoding', getdatabaseencoding(),
        'clock', extract(epoch from clock_timestamp())
    );
end
$function$;

comment on function lizsync.open_sync(jsonb) is
    'On the central, answers lizsync.get_clone_state of a clone: checks that both are who they say, at the point where they '
    'parted, and returns what the clone needs. LZ001 and LZ002 say what is wrong; LZ004: a sync of this clone is running.';
