create or replace function lizsync.value_hash_expression(p_column_name text, p_seed integer)
returns text
language sql
stable
strict
set search_path = pg_catalog, pg_temp
as $function$
    -- concat() calls the output function of the type, where a cast to text may be somebody's own; collation "C" compares
    -- bytes, where others may ignore case. In other encodings the bytes of UTF-8 get the hash that the text has in UTF-8.
    -- "is not null" would be false for a composite value with a null in it.
    select format(
        'case when t.%1$I is distinct from null then '
            || case
                when current_setting('server_encoding') in ('UTF8', 'SQL_ASCII')
                    then 'hashtextextended(concat(t.%1$I) collate "C", %2$s)'
                else 'hash_record_extended(row(convert_to(concat(t.%1$I), ''UTF8'')), %2$s)'
            end
            || ' else 0 end',
        p_column_name,
        p_seed
    )
$function$;

comment on function lizsync.value_hash_expression(text, integer) is
    'SQL expression of a 64-bit hash of the text of a column of t, 0 for null: the same on all versions and encodings '
    'under pinned output settings.';
