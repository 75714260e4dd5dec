create or replace function lizsync.is_valid_reference(p_constraint_oid oid, p_values @extschema:hstore@.hstore)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_constraint record;
    v_exists boolean;
begin
    if exists (
        select from pg_constraint as c
        join pg_attribute as a on a.attrelid = c.conrelid
        where c.oid = p_constraint_oid and a.attnotnull
          and @extschema:hstore@.exist(p_values, a.attname::text)
          and not @extschema:hstore@.defined(p_values, a.attname::text)
    ) then
        return false;
    end if;
    select k.* into strict v_constraint from lizsync.foreign_keys(array[p_constraint_oid]) as k;
    if exists (
        select from @extschema:hstore@.each(@extschema:hstore@.slice(p_values, v_constraint.child_columns)) as v
        where v.value is null
    ) then
        return true;
    end if;
    execute format('select exists (select from %s as p where %s)', v_constraint.parent,
        (select string_agg(format('p.%I %s %s', k.parent_column, k.operator,
                                  lizsync.value_expression(v_constraint.child, k.child_column, '$1')), ' and ')
         from unnest(v_constraint.parent_columns, v_constraint.child_columns, v_constraint.operators)
             as k (parent_column, child_column, operator)))
    into v_exists
    using p_values;
    return v_exists;
end
$function$;

comment on function lizsync.is_valid_reference(oid, @extschema:hstore@.hstore) is
    'Whether the child of a foreign key may have these key values: null where that is allowed, or those of a parent that is there.';
