create or replace function audit.log_statement()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- values are logged as PostgreSQL's own text, whatever the session's settings
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
set lc_monetary = 'C'
-- plans are kept for the session: one that was made for a single row must not join a million rows in a nested loop, nor
-- sort them
set enable_nestloop = off
set enable_mergejoin = off
set work_mem = '64MB'
as $function$
-- Arguments of the trigger: relation_id, the columns that are not logged as values (uid, generated, excluded), and
-- "partition" where it is on a partition: once that is detached it is a table of its own, which nobody synchronises.
declare
    v_relation_id constant integer := tg_argv[0];
    v_unlogged_columns constant text[] := tg_argv[1];
    v_setting constant text := format('lizsync_audit.mark_%s_%s', tg_relid, tg_op);
    v_marks constant text := current_setting(v_setting, true);
    v_mark text := '';
    v_logged_before bigint := 0;
    v_changed_at constant timestamp with time zone := clock_timestamp();
    v_is_large boolean;
    v_statement_id bigint;
    v_logged bigint;
    v_set text;
begin
    if v_marks <> '' then
        v_mark := split_part(v_marks, ',', 1);
        -- a mark that is no number was not written by us: then everything the transaction logged is looked at
        if v_mark ~ '^[0-9]{1,18}$' then
            v_logged_before := v_mark;
        end if;
        v_set := set_config(v_setting, substr(v_marks, length(v_mark) + 2), true);
    end if;

    -- what synchronisation applies is logged by lizsync.apply_changes, which knows its origin; what triggers change
    -- on that occasion (at a greater depth) is an ordinary change of this server
    if current_setting('session_replication_role') = 'replica' and pg_trigger_depth() = 1 then
        return null;
    end if;
    if tg_argv[2] = 'partition' then
        if not (select c.relispartition from pg_class as c where c.oid = tg_relid) then
            return null;
        end if;
    end if;

    -- sizes as stored, compressed perhaps: text may be a thousand times as long. The block writes nothing, so that it takes
    -- no transaction id.
    begin
        if tg_op = 'INSERT' then
            v_is_large := exists (select from new_rows as n where pg_column_size(n.*) > 100000);
        elsif tg_op = 'DELETE' then
            v_is_large := exists (select from old_rows as o where pg_column_size(o.*) > 100000);
        else
            v_is_large := exists (
                select from old_rows as o where pg_column_size(o.*) > 100000
                union all
                select from new_rows as n where pg_column_size(n.*) > 100000
            );
        end if;
    exception
        -- more than PostgreSQL allows in one piece
        when program_limit_exceeded or out_of_memory or internal_error then
            v_is_large := true;
    end;

    v_statement_id := nextval('audit.logged_statements_statement_id_seq');

    if v_is_large then
        execute format(
            'insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, %s, unlogged_columns)
             select $1, $2, $3, $4, r.* from (%s) as r',
            case tg_op when 'INSERT' then 'new_values' when 'DELETE' then 'old_values' else 'old_values, new_values' end,
            audit.large_rows_query(
                tg_relid, v_unlogged_columns,
                case when tg_op <> 'INSERT' then 'old_rows' end, case when tg_op <> 'DELETE' then 'new_rows' end))
        using v_statement_id, v_changed_at, v_relation_id, left(tg_op, 1)::"char";
    elsif tg_op = 'INSERT' then
        insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, new_values)
        select
            v_statement_id, v_changed_at, v_relation_id, 'I', n.uid,
            @extschema:hstore@.hstore(n.*) operator(@extschema:hstore@.-) v_unlogged_columns
        from new_rows n;
    elsif tg_op = 'DELETE' then
        insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values)
        select
            v_statement_id, v_changed_at, v_relation_id, 'D', o.uid,
            @extschema:hstore@.hstore(o.*) operator(@extschema:hstore@.-) v_unlogged_columns
        from old_rows o;
    else
        insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values, new_values)
        select
            v_statement_id, v_changed_at, v_relation_id, 'U', changed.uid,
            @extschema:hstore@.slice(changed.old_values, @extschema:hstore@.akeys(changed.new_values)),
            changed.new_values
        from (
            select
                rows.uid, rows.old_values,
                rows.new_values operator(@extschema:hstore@.-) rows.old_values operator(@extschema:hstore@.-) v_unlogged_columns as new_values
            from (
                select o.uid, @extschema:hstore@.hstore(o.*) as old_values, @extschema:hstore@.hstore(n.*) as new_values
                from old_rows o
                join new_rows n on n.uid = o.uid
                offset 0
            ) as rows
            offset 0
        ) as changed
        where changed.new_values operator(@extschema:hstore@.<>) '';
    end if;
    get diagnostics v_logged = row_count;

    if v_logged > 0 and current_setting('lizsync_audit.partition_statement', true) <> '' then
        v_logged := v_logged - audit.drop_doubled_events(v_relation_id, tg_op, v_statement_id, v_logged_before);
    end if;
    if v_logged = 0 then
        return null;
    end if;

    insert into audit.logged_statements (
        statement_id, transaction_id, logged_at, session_user_name, application_name, client_address, client_query
    )
    overriding system value
    values (
        v_statement_id, pg_current_xact_id(), v_changed_at, session_user, current_setting('application_name'),
        inet_client_addr(), left(current_query(), 10000)
    );

    if v_mark is distinct from coalesce(current_setting('lizsync_audit.last_event', true), '') then
        perform audit.order_nested_events(
            tg_relid, v_relation_id, left(tg_op, 1)::"char", v_statement_id,
            v_logged_before
        );
    end if;
    v_set := set_config('lizsync_audit.last_event', currval('audit.event_id_sequence')::text, true);
    return null;
end
$function$;

comment on function audit.log_statement() is
    'Trigger after each statement on an audited table: logs one event for each row that the statement changed.';
