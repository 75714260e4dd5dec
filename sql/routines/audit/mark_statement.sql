create or replace function audit.mark_statement()
returns trigger
language plpgsql
as $function$
-- Remembers, before a statement on an audited table changes anything, what this transaction had logged by then.
-- audit.log_statement compares: when other statements logged something in between, they ran inside this one (in a
-- trigger or a function), and their events must sort after this statement's own.
-- A statement that begins while nothing was logged has no mark: what there is at its end was logged inside it.
-- The marks of nested statements on one table form a stack, the newest first. They live in settings of the transaction,
-- because those follow savepoints; they decide nothing but the order of the transaction's own events.
declare
    v_last_event constant text := pg_catalog.current_setting('lizsync_audit.last_event', true);
    v_setting text;
begin
    -- asked here, as a condition of the trigger is read and planned anew for each statement, which takes longer
    if v_last_event operator(pg_catalog.<>) '' then
        v_setting := pg_catalog.format('lizsync_audit.mark_%s_%s', tg_relid, tg_op);
        -- assigned, as PERFORM would run a query
        v_setting := pg_catalog.set_config(
            v_setting, pg_catalog.concat(v_last_event, ',', pg_catalog.current_setting(v_setting, true)), true);
    end if;
    return null;
end
$function$;

comment on function audit.mark_statement() is
    'Trigger before each statement on an audited table: remembers what the transaction had logged before the statement.';
