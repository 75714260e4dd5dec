create or replace function lizsync.check_rights(p_relation regclass)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
-- A right that is missing concerns all rows: it is said once and before anything is applied, rather than held row by row.
declare
    v_missing text;
begin
    select string_agg(wanted.privilege, ', ' order by wanted.position) into v_missing
    from unnest(array['select', 'insert', 'update', 'delete']) with ordinality as wanted (privilege, position)
    where not has_table_privilege(p_relation, wanted.privilege);
    if v_missing is not null then
        raise exception using
            errcode = 'LZ001',
            message = format('permission denied: %I, the owner of lizsync in this database, may not %s rows of %s',
                             current_user, v_missing, p_relation),
            hint = format('grant %s on %s to %I; then synchronise again. Nothing was lost.', v_missing, p_relation, current_user);
    end if;
end
$function$;

comment on function lizsync.check_rights(regclass) is
    'LZ001, with the GRANT that helps, when the owner of lizsync may not read and write a table.';
