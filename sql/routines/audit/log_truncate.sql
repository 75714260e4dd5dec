create or replace function audit.log_truncate()
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
-- Arguments of the trigger as for audit.log_statement. The trigger runs before the rows are gone and under the exclusive
-- lock that TRUNCATE has taken; TRUNCATE of a partitioned table runs it for the root and for each partition.
declare
    v_statement_id bigint;
    v_logged bigint;
begin
    if current_setting('session_replication_role') = 'replica' and pg_trigger_depth() = 1 then
        return null;
    end if;

    v_statement_id := nextval('audit.logged_statements_statement_id_seq');

    execute format($sql$
        insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values)
        select $1, clock_timestamp(), $2, 'D', o.uid, @extschema:hstore@.hstore(o.*) operator(@extschema:hstore@.-) $3
        from only %s as o$sql$, tg_relid::regclass)
    using v_statement_id, tg_argv[0]::integer, tg_argv[1]::text[];
    get diagnostics v_logged = row_count;

    if v_logged > 0 then
        insert into audit.logged_statements (
            statement_id, transaction_id, logged_at, session_user_name, application_name, client_address, client_query
        )
        overriding system value
        values (
            v_statement_id, pg_current_xact_id(), clock_timestamp(), session_user, current_setting('application_name'),
            inet_client_addr(), left(current_query(), 10000)
        );
        perform set_config('lizsync_audit.last_event', currval('audit.event_id_sequence')::text, true);
    end if;
    return null;
end
$function$;

comment on function audit.log_truncate() is 'Trigger before TRUNCATE of an audited table: logs every row as deleted.';
