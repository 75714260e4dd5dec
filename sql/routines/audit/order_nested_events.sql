create or replace function audit.order_nested_events(
    p_table_oid oid,
    p_relation_id integer,
    p_action "char",
    p_statement_id bigint,
    p_after_event_id bigint
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A statement's events are logged when it ends, those of statements that its triggers ran have been logged by then:
-- an insert whose trigger updates the new row would stand in the log after that update. This gives the events of nested
-- statements new, later ids where they touch the same rows.
-- PostgreSQL itself refuses to update or delete a row that the same statement's triggers changed before, so an update
-- comes before everything nested. A delete comes before a nested insert only. An insert comes first unless the nested
-- statements ended with a delete although the row is there: then they removed an older row to make room for it.
declare
    v_live_uids uuid[] := '{}';
begin
    if p_action = 'I' then
        execute format('select array_agg(t.uid) from %s as t where t.uid in (
                            select a.uid from audit.logged_actions as a
                            where a.transaction_id = pg_current_xact_id() and a.statement_id = $1)', p_table_oid::regclass)
        into v_live_uids
        using p_statement_id;
    end if;

    with nested as materialized (
        select n.event_id, n.uid, n.action
        from audit.logged_actions as n
        where n.transaction_id = pg_current_xact_id()
          and n.event_id > p_after_event_id
          and n.relation_id = p_relation_id
          and n.statement_id <> p_statement_id
          and n.uid in (
              select own.uid
              from audit.logged_actions as own
              where own.transaction_id = pg_current_xact_id() and own.statement_id = p_statement_id
                -- else audit.drop_doubled_events has made it the last one
                and own.action = p_action
          )
    ), later as materialized (
        select n.uid
        from nested as n
        group by n.uid
        having case p_action
            when 'U' then true
            when 'D' then bool_or(n.action = 'I')
            else (array_agg(n.action order by n.event_id desc))[1] <> 'D' or n.uid <> all (coalesce(v_live_uids, '{}'))
        end
    ), renumbered as materialized (
        select in_order.event_id, nextval('audit.event_id_sequence') as new_event_id
        from (
            select n.event_id
            from nested as n
            join later as l on l.uid = n.uid
            order by n.event_id
        ) as in_order
    )
    update audit.logged_actions as a
    set event_id = r.new_event_id
    from renumbered as r
    where a.transaction_id = pg_current_xact_id() and a.event_id = r.event_id;
end
$function$;

comment on function audit.order_nested_events(oid, integer, "char", bigint, bigint) is
    'Moves events that statements inside p_statement_id logged behind its own, for the rows that both changed.';
