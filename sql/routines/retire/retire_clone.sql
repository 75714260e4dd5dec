create or replace function lizsync.retire_clone(p_clone text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_clone record;
    v_found record;
    v_retired_at timestamp with time zone;
    v_lines text[] := '{}';
begin
    if (select m.server_role from lizsync.server_metadata as m) is distinct from 'central' then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is not a central', current_database()),
            hint = 'Name the central database with --central.';
    end if;
    for v_clone in
        select l.peer_id as clone_id, l.peer_name as clone_name, l.deployed_at, l.last_synchronised_at, l.retired_at
        from lizsync.links as l
        where p_clone in (l.peer_name, l.peer_id::text)
        union all
        -- the central has not heard that the clone was made
        select d.clone_id, d.clone_name, d.created_at, null, null
        from lizsync.deployments as d
        where p_clone in (d.clone_name, d.clone_id::text)
          and not exists (select from lizsync.links as l where l.peer_id = d.clone_id)
    loop
        if v_clone.retired_at is not null then
            v_retired_at := greatest(v_retired_at, v_clone.retired_at);
            continue;
        end if;
        v_found := v_clone;
        v_lines := v_lines || format('%s, deployed on %s, last synchronised: %s', v_clone.clone_id, v_clone.deployed_at::date,
            coalesce(v_clone.last_synchronised_at::date::text, 'never'));
    end loop;
    if cardinality(v_lines) > 1 then
        raise exception using
            errcode = 'LZ002',
            message = format('the central knows %s clones named %s', cardinality(v_lines), p_clone),
            detail = array_to_string(v_lines, E'\n'),
            hint = 'Write the id in the place of the name.';
    elsif v_lines = '{}' then
        raise exception using
            errcode = 'LZ002',
            message = case when v_retired_at is null then format('the central knows no clone %s', p_clone)
                           else format('the clone %s was retired on %s', p_clone, v_retired_at::date) end,
            detail = (
                select 'clones: ' || string_agg(l.peer_name, ', ' order by l.peer_name)
                from lizsync.links as l where l.retired_at is null),
            hint = 'Write the name that the clone was given by lizsync deploy.';
    end if;

    perform lizsync.lock_link(v_found.clone_id);
    update lizsync.links as l set retired_at = clock_timestamp() where l.peer_id = v_found.clone_id;
    delete from lizsync.deployments as d where d.clone_id = v_found.clone_id;
    perform lizsync.return_ranges(v_found.clone_id);
    return jsonb_build_object(
        'clone_id', v_found.clone_id,
        'clone', v_found.clone_name,
        'last_synchronised_at', v_found.last_synchronised_at,
        'held', (select count(*) from lizsync.held_changes as h where h.peer_id = v_found.clone_id)
    );
end
$function$;

comment on function lizsync.retire_clone(text) is
    'On the central, ends the link of a clone, which is known by its name or its id: it cannot synchronise any more, nothing is kept '
    'for it, and what it has not drawn of its ranges returns. LZ002 when there is no such clone or more than one; LZ004 while it '
    'synchronises.';
