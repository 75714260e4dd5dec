create or replace function lizsync.digest_part(
    p_schema_name text,
    p_table_name text,
    p_uid uuid,
    p_action "char",
    p_changed_at timestamp with time zone,
    p_new_values @extschema:hstore@.hstore,
    p_event_id bigint
)
returns numeric
language sql
stable
as $function$
    select hashtextextended(
        row (p_schema_name, p_table_name, p_uid, p_action, p_changed_at, p_new_values, p_event_id)::text collate "C", 0
    )::numeric
$function$;

comment on function lizsync.digest_part(text, text, uuid, "char", timestamptz, @extschema:hstore@.hstore, bigint) is
    'A number that stands for a part of a delivery, to be summed up on both sides; the sessions must write times alike.';
