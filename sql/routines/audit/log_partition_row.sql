create or replace function audit.log_partition_row()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
set lc_monetary = 'C'
set row_security = off
as $function$
-- Arguments of the trigger as for audit.log_statement. It fires on partitions without statement triggers, whichever table
-- the statement named. If that was the root (or another table that has them), audit.log_statement sees the rows too: it
-- leaves those alone that are logged here already, which it tells by the negative ids of their statements.
-- Triggers of users that come before this one may have changed the row again, and that is logged already. So what is
-- logged here is the row as it is now, or nothing if it is gone.
declare
    v_relation_id constant integer := tg_argv[0];
    v_unlogged_columns constant text[] := tg_argv[1];
    v_changed_at constant timestamp with time zone := clock_timestamp();
    v_query constant text := left(current_query(), 10000);
    v_setting constant text := current_setting('lizsync_audit.partition_statement', true);
    v_statement_id bigint;
    v_old @extschema:hstore@.hstore;
    v_new @extschema:hstore@.hstore;
    v_columns text[];
    v_is_large boolean;
    v_too_large_columns text[];
    v_uid uuid;
    v_is_current boolean;
begin
    if current_setting('session_replication_role') = 'replica' and pg_trigger_depth() = 1 then
        return null;
    end if;

    -- as in audit.log_statement
    v_is_large := greatest(pg_column_size(old), pg_column_size(new)) > 100000;
    if not v_is_large then
        if tg_op <> 'INSERT' then
            v_old := @extschema:hstore@.hstore(old) operator(@extschema:hstore@.-) v_unlogged_columns;
        end if;
        if tg_op <> 'DELETE' then
            v_new := @extschema:hstore@.hstore(new) operator(@extschema:hstore@.-) v_unlogged_columns;
        end if;
    elsif tg_op = 'INSERT' then
        execute audit.large_rows_query(tg_relid, v_unlogged_columns, null, '(select ($1).*)')
        into v_uid, v_new, v_too_large_columns
        using new;
    elsif tg_op = 'DELETE' then
        execute audit.large_rows_query(tg_relid, v_unlogged_columns, '(select ($1).*)', null)
        into v_uid, v_old, v_too_large_columns
        using old;
    else
        execute audit.large_rows_query(tg_relid, v_unlogged_columns, '(select ($1).*)', '(select ($2).*)')
        into v_uid, v_old, v_new, v_too_large_columns
        using old, new;
    end if;

    if tg_op <> 'DELETE' then
        v_columns := case when v_is_large then @extschema:hstore@.akeys(v_new)
                          else @extschema:hstore@.akeys(v_new operator(@extschema:hstore@.-) coalesce(v_old, '')) end;
        -- null: of a large row nothing has changed
        if coalesce(v_columns, '{}') = '{}' then
            return null;
        end if;
        execute format('select exists (select from only %s as t where t.ctid = $1)', tg_relid::regclass)
        into v_is_current
        using new.ctid;
        if not v_is_current then
            if v_is_large then
                execute audit.large_rows_query(
                    tg_relid, v_unlogged_columns, null,
                    format('(select * from %s where uid = %L)', pg_partition_root(tg_relid), new.uid))
                into v_uid, v_new, v_too_large_columns;
                v_too_large_columns := nullif(array(select unnest(v_too_large_columns) intersect select unnest(v_columns)), '{}');
            else
                execute format('select @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $2 from %s as t where t.uid = $1',
                               pg_partition_root(tg_relid))
                into v_new
                using new.uid, v_unlogged_columns;
            end if;
            if v_new is null then
                return null;
            end if;
        end if;
    end if;

    -- one row in the log of statements for what one query of the client does
    if v_setting ~ '^-[0-9]{1,18}$' then
        select s.statement_id into v_statement_id
        from audit.logged_statements as s
        where s.statement_id = v_setting::bigint
          and s.transaction_id = pg_current_xact_id()
          and s.client_query is not distinct from v_query;
    end if;
    if v_statement_id is null then
        v_statement_id := - nextval('audit.logged_statements_statement_id_seq');
        insert into audit.logged_statements (
            statement_id, transaction_id, logged_at, session_user_name, application_name, client_address, client_query
        )
        overriding system value
        values (
            v_statement_id, pg_current_xact_id(), v_changed_at, session_user, current_setting('application_name'),
            inet_client_addr(), v_query
        );
        perform set_config('lizsync_audit.partition_statement', v_statement_id::text, true);
    end if;

    insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values, new_values, unlogged_columns)
    values (
        v_statement_id, v_changed_at, v_relation_id, left(tg_op, 1)::"char",
        case tg_op when 'DELETE' then old.uid else new.uid end,
        case tg_op when 'UPDATE' then @extschema:hstore@.slice(v_old, v_columns) else v_old end,
        case tg_op when 'UPDATE' then @extschema:hstore@.slice(v_new, v_columns) else v_new end,
        v_too_large_columns
    );
    perform set_config('lizsync_audit.last_event', currval('audit.event_id_sequence')::text, true);
    return null;
end
$function$;

comment on function audit.log_partition_row() is
    'Trigger after each row of partitions that were added later and have no statement triggers yet: logs the change.';
