create or replace function lizsync.base_type(p_type regtype)
returns regtype
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    with recursive type as (
        select t.oid, t.typbasetype from pg_type as t where t.oid = p_type
        union all
        select t.oid, t.typbasetype from type join pg_type as t on t.oid = type.typbasetype
    )
    select type.oid::regtype from type where type.typbasetype = 0
$function$;

comment on function lizsync.base_type(regtype) is 'The type that a domain is over, at the end; any other type itself.';
