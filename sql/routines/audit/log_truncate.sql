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
-- lock that TRUNCATE has taken; TRUNCATE of a partitioned table runs it for the root and for each partition that has it.
-- For those that were added later and have it not, the nearest table above them that has it does their work.
declare
    v_statement_id bigint;
    v_table regclass;
    v_logged bigint := 0;
    v_logged_here bigint;
    v_is_large boolean;
begin
    if current_setting('session_replication_role') = 'replica' and pg_trigger_depth() = 1 then
        return null;
    end if;
    if tg_argv[2] = 'partition' and not (select c.relispartition from pg_class as c where c.oid = tg_relid) then
        return null;
    end if;

    v_statement_id := nextval('audit.logged_statements_statement_id_seq');

    for v_table in
        select tg_relid::regclass
        union all
        select p.relid
        from pg_partition_tree(tg_relid) as p
        where p.relid <> tg_relid
          and p.isleaf
          and tg_relid = (
              select above.relid
              from pg_partition_ancestors(p.relid) with ordinality as above (relid, distance)
              where exists (
                  select from pg_trigger as t where t.tgrelid = above.relid and t.tgname = 'lizsync_audit_truncate')
              order by above.distance
              limit 1
          )
    loop
        begin
            execute format('select exists (select from only %s as o where pg_column_size(o.*) > 100000)', v_table)
            into v_is_large;
        exception
            when program_limit_exceeded or out_of_memory or internal_error then
                v_is_large := true;
        end;
        execute format(
            'insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values, unlogged_columns)
             select $1, clock_timestamp(), $2, ''D'', o.* from (%s) as o',
            case when v_is_large
                then audit.large_rows_query(v_table, tg_argv[1]::text[], format('only %s', v_table), null)
                else format('select t.uid, @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $3, null::text[] from only %s as t', v_table)
            end)
        using v_statement_id, tg_argv[0]::integer, tg_argv[1]::text[];
        get diagnostics v_logged_here = row_count;
        v_logged := v_logged + v_logged_here;
    end loop;

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
