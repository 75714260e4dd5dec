create or replace function lizsync.apply_rows(
    p_relation regclass,
    p_from_row integer,
    p_to_row integer,
    p_replace boolean
)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- Set-based: one delete, one update and one insert for all rows, each with the events it logs. Deletes first, so that
-- unique values are free. p_replace: rows that are there are taken out and put back with their new values, so that they
-- can exchange values of a unique constraint among each other.
declare
    v_relation_id integer;
    v_columns text[];
    v_unlogged_columns text[];
    v_touched_columns text[];
    v_several_parts boolean;
    v_has_delete boolean;
    v_has_update boolean;
    v_has_insert boolean;
    v_rewriting_triggers boolean;
    v_rows integer;
    v_all_rows integer := 0;
begin
    select r.relation_id, lizsync.synchronised_columns(n.nspname, c.relname)
    into strict v_relation_id, v_columns
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join audit.logged_relations as r on r.schema_name = n.nspname and r.table_name = c.relname
    where c.oid = p_relation;

    select
        coalesce(bool_or(i.several_parts), false),
        coalesce(bool_or(i.action = 'D'), false),
        coalesce(bool_or(i.action <> 'D' and i.exists_here), false),
        coalesce(bool_or(i.action <> 'D' and not i.exists_here), false)
    into v_several_parts, v_has_delete, v_has_update, v_has_insert
    from pg_temp.lizsync_incoming as i
    where i.relation = p_relation and i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a' and (i.action <> 'D' or i.exists_here);

    select array_agg(a.attname) into v_unlogged_columns
    from pg_attribute as a
    where a.attrelid = p_relation and a.attnum > 0 and a.attname <> all (v_columns);

    v_rewriting_triggers := lizsync.has_rewriting_triggers(p_relation);
    if v_rewriting_triggers and v_has_update then
        execute format($sql$
            update pg_temp.lizsync_incoming as i
            set row_before = @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $4
            from %s as t
            where t.uid = i.uid and i.relation = $1 and i.row_id >= $2 and i.row_id < $3 and i.state = 'a'
              and i.action <> 'D'$sql$, p_relation)
        using p_relation, p_from_row, p_to_row, v_unlogged_columns;
    end if;

    if v_has_delete then
        execute format($sql$
            with removed as (
                delete from %1$s as t
                using pg_temp.lizsync_incoming as i
                where t.uid = i.uid and i.relation = $1 and i.row_id >= $2 and i.row_id < $3 and i.state = 'a'
                  and i.action = 'D'
                returning i.row_id, i.uid, i.received_from,
                          @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $4 as old_values
            )
            insert into audit.logged_actions (
                changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, old_values
            )
            select
                s.changed_at, s.corrected_at, $5, 'D', r.uid, nullif(s.origin_server_id, $6), r.received_from, r.old_values
            from removed as r
            join pg_temp.lizsync_writers as s on s.row_id = r.row_id and s.action = 'D'
            $sql$, p_relation)
        using p_relation, p_from_row, p_to_row, v_unlogged_columns, v_relation_id, lizsync.server_id();
        get diagnostics v_rows = row_count;
        v_all_rows := v_all_rows + v_rows;
    end if;

    if v_has_update then
        select array_agg(distinct touched.column_name order by touched.column_name) into v_touched_columns
        from pg_temp.lizsync_incoming as i
        cross join lateral unnest(@extschema:hstore@.akeys(i.new_values)) as touched (column_name)
        where i.relation = p_relation and i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a' and i.action <> 'D' and i.exists_here
          and touched.column_name = any (v_columns);
        v_all_rows := v_all_rows + lizsync.update_rows(
            p_relation, v_relation_id, p_from_row, p_to_row, v_touched_columns, v_several_parts, p_replace);
    end if;

    if v_has_insert then
        execute format($sql$
            with added as (
                insert into %1$s (uid%2$s)
                overriding system value
                select i.uid%3$s
                from pg_temp.lizsync_incoming as i
                where i.relation = $1 and i.row_id >= $2 and i.row_id < $3 and i.state = 'a' and i.action <> 'D'
                  and not i.exists_here
                returning uid
            ), logged as (
                insert into audit.logged_actions (
                    changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, new_values
                )
                select
                    s.changed_at, s.corrected_at, $4, s.action, i.uid, nullif(s.origin_server_id, $5), i.received_from,
                    s.new_values
                from added
                join pg_temp.lizsync_incoming as i
                    on i.uid = added.uid and i.relation = $1 and i.row_id >= $2 and i.row_id < $3
                join pg_temp.lizsync_writers as s on s.row_id = i.row_id
                %4$s
            )
            select count(*) from added
            $sql$,
            p_relation,
            (select string_agg(format(', %I', c.column_name), '') from unnest(v_columns) as c (column_name)),
            (
                select string_agg(format(', %s', lizsync.value_expression(p_relation, c.column_name, 'i.new_values')), '')
                from unnest(v_columns) as c (column_name)
            ),
            -- the insert is logged before what others wrote into the row later
            case when v_several_parts then 'order by i.uid, s.action' else '' end)
        into v_rows
        using p_relation, p_from_row, p_to_row, v_relation_id, lizsync.server_id();
        v_all_rows := v_all_rows + v_rows;
    end if;

    if v_rewriting_triggers then
        perform lizsync.log_trigger_changes(p_relation, v_relation_id, p_from_row, p_to_row, v_unlogged_columns);
    end if;
    return v_all_rows;
end
$function$;

comment on function lizsync.apply_rows(regclass, integer, integer, boolean) is
    'Applies and logs rows of lizsync_incoming to one table; returns how many rows of the table changed. Fails as a whole.';
