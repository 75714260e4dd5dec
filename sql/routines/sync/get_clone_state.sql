create or replace function lizsync.get_clone_state(p_tables text[] default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_state jsonb;
begin
    if (select m.server_role from lizsync.server_metadata as m) is distinct from 'clone'
       or not exists (select from lizsync.links) then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is no clone of a central', current_database()),
            hint = 'Deploy a package to it (lizsync deploy), or name another database as the clone.';
    end if;
    select jsonb_build_object(
        'server_id', m.server_id,
        'server_name', m.server_name,
        'incarnation', lizsync.incarnation(),
        'former_incarnations', m.former_incarnations,
        'schema_version', (select max(g.migration_number) from lizsync.migrations as g),
        'central_id', l.peer_id,
        'position', l.position,
        'ahead', lizsync.ahead_positions(l.peer_id),
        'tables', t.tables,
        'last_sync_id', l.last_sync_id,
        'pending_sync_id', l.pending_sync_id,
        'current_position', pg_current_snapshot(),
        'fingerprints', lizsync.relation_fingerprints(l.peer_id, t.tables),
        'encoding', getdatabaseencoding(),
        'clock', extract(epoch from clock_timestamp())
    )
    into strict v_state
    from lizsync.server_metadata as m
    cross join lizsync.links as l
    cross join lizsync.parse_tables(l.peer_id, p_tables) as t (tables);

    if v_state -> 'incarnation' <> (
        select lizsync.incarnation_of(m.system_identifier, m.database_oid)
        from lizsync.server_metadata as m
    ) then
        raise exception using
            errcode = 'LZ001',
            message = format('the clone %I is a copy: it was made in another database or server', current_database()),
            detail = 'A copied or restored clone cannot go on where the original is: each would miss what the other received.',
            hint = 'Synchronise the original. If this one was moved here (pg_upgrade) and takes its place: lizsync upgrade --clone --moved. '
                   'If both are to be used: deploy a package here with --new-id.';
    end if;
    perform lizsync.lock_link((v_state ->> 'central_id')::uuid);
    perform lizsync.adopt_partitions();
    return v_state || jsonb_build_object(
        'stage', lizsync.offer_stage((v_state ->> 'central_id')::uuid, v_state -> 'ahead', nullif(v_state -> 'tables', 'null')));
end
$function$;

comment on function lizsync.get_clone_state(text[]) is
    'On a clone, begins a sync: locks the link and returns what the central needs to know. p_tables: only these, named as in SQL; null: all. LZ002 when this is no clone, LZ001 when it is a copy, LZ004 when a sync is running.';
