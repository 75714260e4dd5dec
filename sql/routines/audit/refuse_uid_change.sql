create or replace function audit.refuse_uid_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'LZ001',
        message = format('the uid of a row of %I.%I must not change (it was %s, and would become %s)',
                         tg_table_schema, tg_table_name, old.uid, new.uid),
        hint = 'uid identifies the row on all servers. Leave it out of the update; for another row, delete this one and insert a new one.',
        schema = tg_table_schema,
        table = tg_table_name,
        column = 'uid';
end
$function$;

comment on function audit.refuse_uid_change() is 'Trigger: refuses an update that changes uid.';
