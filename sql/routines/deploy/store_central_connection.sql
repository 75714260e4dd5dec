create or replace function lizsync.store_central_connection(
    p_server_options text[],
    p_mapping_options text[]
)
returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- Options are pairs, name and value, one after the other. Which of them there are depends on the libpq of this server, so
-- each is tried; names of those that it does not know are returned.
declare
    v_options text[];
    v_catalog regclass;
    v_clauses text := '';
    v_unknown text[] := '{}';
    v_old text;
begin
    if not has_foreign_data_wrapper_privilege('dblink_fdw', 'usage') then
        raise exception using errcode = 'LZ001',
            message = format('%I may not use the foreign data wrapper dblink_fdw', current_user),
            hint = format('Let a superuser run: grant usage on foreign data wrapper dblink_fdw to %I;', current_user);
    end if;
    foreach v_catalog in array array['pg_foreign_server', 'pg_user_mapping']::regclass[] loop
        v_options := case when v_catalog = 'pg_foreign_server'::regclass then p_server_options else p_mapping_options end;
        v_clauses := '';
        for i in 1 .. coalesce(array_length(v_options, 1), 0) by 2 loop
            begin
                perform @extschema:dblink@.dblink_fdw_validator(array[v_options[i] || '=' || v_options[i + 1]], v_catalog);
                v_clauses := v_clauses || format(', %I %L', v_options[i], v_options[i + 1]);
            exception when fdw_invalid_option_name or fdw_option_name_not_found or undefined_object then
                v_unknown := v_unknown || v_options[i];
            end;
        end loop;
        v_clauses := substr(v_clauses, 3);

        if v_catalog = 'pg_user_mapping'::regclass then
            execute 'drop user mapping if exists for current_user server lizsync_central';
            execute format('create user mapping for current_user server lizsync_central options (%s)', v_clauses);
        elsif exists (select from pg_foreign_server as s where s.srvname = 'lizsync_central') then
            select string_agg(format('drop %I', o.option_name), ', ') into v_old
            from pg_foreign_server as s, pg_options_to_table(s.srvoptions) as o
            where s.srvname = 'lizsync_central';
            execute format('alter server lizsync_central options (%s)', coalesce(v_old, v_clauses));
            if v_old is not null then
                execute format('alter server lizsync_central options (%s)', v_clauses);
            end if;
        else
            execute format(
                'create server lizsync_central foreign data wrapper dblink_fdw options (%s)', v_clauses
            );
        end if;
    end loop;
    return v_unknown;
end
$function$;

comment on function lizsync.store_central_connection(text[], text[]) is
    'Stores how this clone reaches its central: the foreign server lizsync_central, and the mapping of the current user.';
