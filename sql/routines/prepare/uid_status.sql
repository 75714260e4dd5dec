create or replace function lizsync.uid_status(p_relation regclass)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select
        case
            when a.attnum is null then 'missing'
            when a.attnotnull
                and a.atthasdef
                and not exists (
                    select
                    from lizsync.partition_tree(p_relation) as p
                    where p.is_leaf and not lizsync.has_unique_uid(p.relation)
                ) then 'present'
            else 'incomplete'
        end
    from (select) as one_row
    left join pg_attribute as a on a.attrelid = p_relation and a.attname = 'uid' and not a.attisdropped
$function$;

comment on function lizsync.uid_status(regclass) is
    'Whether the column uid of a table is missing, present, or incomplete: without default, NOT NULL or unique partitions.';
