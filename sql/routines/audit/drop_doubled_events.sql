create or replace function audit.drop_doubled_events(
    p_relation_id integer,
    p_operation text,
    p_statement_id bigint,
    p_after_event_id bigint
)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
-- the index, whatever is known about the log
set enable_seqscan = off
as $function$
-- Rows in partitions without statement triggers were logged by audit.log_partition_row, each with all that it changed, just
-- before. An update through the root that moves a row from such a partition to another one left only its deletion there:
-- the row was inserted elsewhere, and is logged as such.
declare
    v_dropped bigint;
    v_doubled bigint[];
    v_moved uuid[];
begin
    with own as materialized (
        select a.event_id, a.uid
        from audit.logged_actions as a
        where a.event_id > p_after_event_id
          and a.transaction_id = pg_current_xact_id()
          and a.statement_id = p_statement_id
    ), last_of_others as materialized (
        select distinct on (a.uid) a.uid, a.action, a.statement_id
        from audit.logged_actions as a
        where a.event_id > p_after_event_id
          and a.transaction_id = pg_current_xact_id()
          and a.relation_id = p_relation_id
          and a.statement_id <> p_statement_id
          and a.uid in (select o.uid from own as o)
        order by a.uid, a.event_id desc
    )
    select
        array_agg(o.event_id) filter (where (l.action = 'D') = (p_operation = 'DELETE')),
        array_agg(o.uid) filter (where l.action = 'D' and p_operation = 'UPDATE')
    into v_doubled, v_moved
    from last_of_others as l
    join own as o on o.uid = l.uid
    where l.statement_id < 0;

    delete from audit.logged_actions as a where a.transaction_id = pg_current_xact_id() and a.event_id = any (v_doubled);
    get diagnostics v_dropped = row_count;

    if v_moved is not null then
        execute format(
            'update audit.logged_actions as a
             set action = ''I'', old_values = null, new_values = @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $1
             from %s as t
             where t.uid = a.uid and a.uid = any ($2)
               and a.transaction_id = pg_current_xact_id() and a.event_id > $3 and a.statement_id = $4',
            (select format('%I.%I', r.schema_name, r.table_name)::regclass
             from audit.logged_relations as r
             where r.relation_id = p_relation_id))
        using
            (
                select array_agg(g.attname::text)
                from audit.logged_relations as r
                join pg_attribute as g on g.attrelid = format('%I.%I', r.schema_name, r.table_name)::regclass
                where r.relation_id = p_relation_id
                  and (g.attname = 'uid' or g.attgenerated <> '' or g.attname = any (r.excluded_columns))
            ),
            v_moved, p_after_event_id, p_statement_id;
    end if;
    return v_dropped;
end
$function$;

comment on function audit.drop_doubled_events(integer, text, bigint, bigint) is
    'Takes back events of a statement for rows that audit.log_partition_row has logged; returns how many.';
