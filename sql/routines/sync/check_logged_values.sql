create or replace function lizsync.check_logged_values(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- most of the log is long carried, whatever is known about it
set enable_seqscan = off
as $function$
-- A value that was too large for the log can be carried by a later event only: the value became smaller, the row was
-- deleted. Until then the window stays where it is, so that nothing of the row is lost.
declare
    v_row record;
begin
    select r.schema_name, r.table_name, a.uid, string_agg(distinct c.column_name, ', ' order by c.column_name) as columns
    into v_row
    from audit.logged_actions as a
    join audit.logged_relations as r on r.relation_id = a.relation_id
    join lizsync.link_relations as l
        on l.peer_id = p_receiver_id and l.schema_name = r.schema_name and l.table_name = r.table_name
    left join jsonb_to_recordset(p_ahead) as t (schema_name text, table_name text, position pg_snapshot)
        on t.schema_name = r.schema_name and t.table_name = r.table_name
    cross join unnest(a.unlogged_columns) as c (column_name)
    where a.unlogged_columns is not null
      and a.action <> 'D'
      and a.transaction_id >= pg_snapshot_xmin(p_position)
      and not pg_visible_in_snapshot(a.transaction_id, p_position)
      and pg_visible_in_snapshot(a.transaction_id, t.position) is not true
      and a.transaction_id is distinct from pg_current_xact_id_if_assigned()
      and lizsync.names_table(p_tables, r.schema_name, r.table_name)
      and c.column_name <> all (r.excluded_columns)
      and not exists (
          select
          from audit.logged_actions as later
          where later.transaction_id >= pg_snapshot_xmin(p_position)
            and later.transaction_id is distinct from pg_current_xact_id_if_assigned()
            and later.event_id > a.event_id
            and later.relation_id = a.relation_id
            and later.uid = a.uid
            and (later.action = 'D' or @extschema:hstore@.exist(later.new_values, c.column_name))
      )
    group by r.schema_name, r.table_name, a.uid
    order by r.schema_name, r.table_name, a.uid
    limit 1;
    if found then
        raise exception using
            errcode = 'LZ001',
            message = format('row %s of %I.%I can''t be carried: too large (%s)', v_row.uid, v_row.schema_name, v_row.table_name, v_row.columns),
            detail = 'All values of a row together may have 500 MB as text, a bytea 250 MB. The row itself is unharmed.',
            hint = format('Make the values smaller or delete the row where they were written, or leave such columns out for good (lizsync '
                'prepare-central --exclude-columns, then a new package). Until then, lizsync sync --tables carries tables other than %I.%I.',
                v_row.schema_name, v_row.table_name),
            schema = v_row.schema_name,
            table = v_row.table_name;
    end if;
    return true;
end
$function$;

comment on function lizsync.check_logged_values(uuid, pg_snapshot, jsonb, jsonb) is
    'True when the log has all values that p_receiver_id, which has p_position, has not got. LZ001: some were too large for it.';
