create or replace function lizsync.discard_held_change(p_held_id bigint)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
set lc_monetary = 'C'
as $function$
-- The sender has what this server refuses, so the two differ in this row. What this server has wins: it is logged as if it
-- had been written here now, and travels to the sender, and on to all others, like any change made here.
--   row is here, an insert or update was refused:  its values here, of the columns that the change would have written
--   row is here, a delete was refused:             the whole row, which comes back there
--   row is not here:                               its deletion
-- Nothing changes in the table here, so no trigger can log it. A change that somebody made there in the meantime meets this
-- one by the rules for conflicts.
declare
    v_held record;
    v_relation regclass;
    v_relation_id integer;
    v_columns text[];
    v_is_delete boolean;
    v_exists boolean;
    v_row @extschema:hstore@.hstore;
    v_values @extschema:hstore@.hstore;
    v_action "char";
    v_statement_id bigint;
    v_now constant timestamp with time zone := clock_timestamp();
begin
    select h.*, l.peer_name into v_held
    from lizsync.held_changes as h
    join lizsync.links as l on l.peer_id = h.peer_id
    where h.held_id = p_held_id;
    if not found then
        raise exception using
            errcode = 'LZ002',
            message = format('the server %s holds no change with the number %s',
                             (select m.server_name from lizsync.server_metadata as m), p_held_id),
            hint = 'lizsync held lists them; it may have been applied in the meantime.';
    end if;
    perform lizsync.lock_link(v_held.peer_id);

    v_relation := to_regclass(format('%I.%I', v_held.schema_name, v_held.table_name));
    select r.relation_id into v_relation_id
    from audit.logged_relations as r
    where r.schema_name = v_held.schema_name and r.table_name = v_held.table_name;
    if v_relation is not null and v_relation_id is not null then
        -- a sync that ended just before the link was locked may have applied the change
        perform from lizsync.held_changes as h where h.held_id = p_held_id for update;
        if not found then
            raise exception using
                errcode = 'LZ002',
                message = format('the change with the number %s is not held any more', p_held_id),
                hint = 'lizsync held lists what is.';
        end if;
        select bool_or(p.action = 'D'), array_agg(v.key) into v_is_delete, v_columns
        from lizsync.held_change_parts as p
        left join lateral @extschema:hstore@.skeys(p.new_values) as v (key) on true
        where p.held_id = p_held_id;
        v_columns := array(
            select c from unnest(lizsync.synchronised_columns(v_held.schema_name, v_held.table_name)) as c
            where v_is_delete or c = any (v_columns));

        -- in two statements: a writer who changes the row now has either committed, or waits
        execute format('select 1 from %s as t where t.uid = $1 for update', v_relation) using v_held.uid;
        execute format('select @extschema:hstore@.hstore(t.*) from %s as t where t.uid = $1', v_relation)
        into v_row
        using v_held.uid;
        v_exists := v_row is not null;

        v_action := case when not v_exists then 'D' when v_is_delete then 'I' else 'U' end;
        v_values := case when v_exists then @extschema:hstore@.slice(v_row, v_columns) end;

        if v_exists or not v_is_delete then
            v_statement_id := nextval('audit.logged_statements_statement_id_seq');
            insert into audit.logged_statements (
                statement_id, transaction_id, logged_at, session_user_name, application_name, client_address, client_query
            )
            overriding system value
            values (
                v_statement_id, pg_current_xact_id(), v_now, session_user, current_setting('application_name'),
                inet_client_addr(), left(current_query(), 10000)
            );
            insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, new_values)
            values (v_statement_id, v_now, v_relation_id, v_action, v_held.uid, v_values);
        end if;
    end if;

    insert into lizsync.conflicts (
        sync_id, peer_id, schema_name, table_name, uid, kind, winner_server_id, loser_server_id,
        winner_changed_at, loser_changed_at, winning_values, losing_values
    )
    select
        gen_random_uuid(), v_held.peer_id, v_held.schema_name, v_held.table_name, v_held.uid, 'held_discarded',
        lizsync.server_id(), p.origin_server_id, v_now, p.changed_at,
        case when p.action = 'D' then v_values else @extschema:hstore@.slice(v_values, @extschema:hstore@.akeys(p.new_values)) end,
        p.new_values
    from lizsync.held_change_parts as p
    where p.held_id = p_held_id;

    delete from lizsync.held_changes as h where h.held_id = p_held_id;

    return jsonb_build_object(
        'held_id', p_held_id,
        'peer_name', v_held.peer_name,
        'schema_name', v_held.schema_name,
        'table_name', v_held.table_name,
        'uid', v_held.uid,
        'effect', case v_action when 'D' then 'deletes' when 'I' then 'restores' when 'U' then 'overwrites' end
    );
end
$function$;

comment on function lizsync.discard_held_change(bigint) is
    'Gives a held change up: it is recorded in lizsync.conflicts, and what this server has instead travels to the sender with '
    'the next sync. effect: what that does to the row there (deletes, restores, overwrites). LZ002: there is no such change.';
