create or replace function lizsync.check_characters(
    p_values @extschema:hstore@.hstore,
    p_receiver_id uuid,
    p_encoding name,
    p_schema_name text,
    p_table_name text,
    p_uid uuid
)
returns @extschema:hstore@.hstore
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- As with values that are too large for the log, the window stays where it is until they are others.
begin
    if lizsync.can_encode(p_values::text, p_encoding) is not false then
        return p_values;
    end if;
    raise exception using
        errcode = 'LZ001',
        message = format(
            'row %s of %I.%I can''t be carried to %s: the encoding %s of its database does not have all characters (%s)',
            p_uid, p_schema_name, p_table_name,
            (select l.peer_name from lizsync.links as l where l.peer_id = p_receiver_id),
            p_encoding,
            (select string_agg(v.key, ', ' order by v.key)
             from @extschema:hstore@.each(p_values) as v
             where not lizsync.can_encode(v.value, p_encoding))),
        detail = 'The row itself is unharmed.',
        hint = format('Write other characters where the row was written. Until then, lizsync sync --tables carries tables other than %I.%I.',
            p_schema_name, p_table_name),
        schema = p_schema_name,
        table = p_table_name;
end
$function$;

comment on function lizsync.check_characters(@extschema:hstore@.hstore, uuid, name, text, text, uuid) is
    'Returns values of a row that a receiver with another encoding can write down; LZ001, which names the columns, when it can''t.';
