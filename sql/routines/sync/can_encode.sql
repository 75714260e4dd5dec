create or replace function lizsync.can_encode(p_text text, p_encoding name)
returns boolean
language plpgsql
stable
strict
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform convert(convert_to(p_text, 'UTF8'), 'UTF8', p_encoding);
    return true;
exception
    when untranslatable_character or character_not_in_repertoire then
        return false;
end
$function$;

comment on function lizsync.can_encode(text, name) is 'Whether an encoding has all characters of a text, which travels as UTF-8.';
