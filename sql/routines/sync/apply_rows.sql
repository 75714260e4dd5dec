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
    v_inserts integer;
    v_rewriting_triggers boolean;
    v_server_id constant uuid := lizsync.server_id();
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
        coalesce(bool_or(i.action = 'D' and i.exists_here), false),
        coalesce(bool_or(i.action <> 'D' and i.exists_here), false),
        count(*) filter (where i.action <> 'D' and not i.exists_here)
    into v_several_parts, v_has_delete, v_has_update, v_inserts
    from pg_temp.lizsync_incoming as i
    where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a';

    select array_agg(a.attname) into v_unlogged_columns
    from pg_attribute as a
    where a.attrelid = p_relation and a.attnum > 0 and a.attname <> all (v_columns);

    v_rewriting_triggers := lizsync.has_rewriting_triggers(p_relation);
    if v_rewriting_triggers and v_has_update then
        execute format($sql$
            update pg_temp.lizsync_incoming as i
            set row_before = @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $3
            from %s as t
            where t.uid = i.uid and i.row_id >= $1 and i.row_id < $2 and i.state = 'a'
              and i.action <> 'D'$sql$, p_relation)
        using p_from_row, p_to_row, v_unlogged_columns;
    end if;

    if v_has_delete then
        execute format($sql$
            with removed as (
                delete from %1$s as t
                using pg_temp.lizsync_incoming as i
                where t.uid = i.uid and i.row_id >= $1 and i.row_id < $2 and i.state = 'a' and i.action = 'D'
                returning i.uid, i.received_from, i.origin_server_id, i.changed_at, i.corrected_at,
                          @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $3 as old_values
            )
            insert into audit.logged_actions (
                changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, old_values
            )
            select
                r.changed_at, r.corrected_at, $4, 'D', r.uid, nullif(r.origin_server_id, $5), r.received_from, r.old_values
            from removed as r
            $sql$, p_relation)
        using p_from_row, p_to_row, v_unlogged_columns, v_relation_id, v_server_id;
        get diagnostics v_rows = row_count;
        v_all_rows := v_all_rows + v_rows;
    end if;

    if v_has_update then
        select array_agg(touched.column_name order by touched.column_name) into v_touched_columns
        from (
            select distinct c.column_name
            from (
                select distinct @extschema:hstore@.akeys(i.new_values) as columns
                from pg_temp.lizsync_incoming as i
                where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a' and i.action <> 'D' and i.exists_here
            ) as d
            cross join lateral unnest(d.columns) as c (column_name)
            where c.column_name = any (v_columns)
        ) as touched;
        v_all_rows := v_all_rows + lizsync.update_rows(
            p_relation, v_relation_id, p_from_row, p_to_row, v_touched_columns, v_several_parts, p_replace);
    end if;

    if v_inserts > 0 then
        execute format($sql$
            insert into %s (uid%s)
            overriding system value
            select i.uid%s
            from pg_temp.lizsync_incoming as i
            where i.row_id >= $1 and i.row_id < $2 and i.state = 'a' and i.action <> 'D' and not i.exists_here$sql$,
            p_relation,
            (select string_agg(format(', %I', c.column_name), '') from unnest(v_columns) as c (column_name)),
            (
                select string_agg(format(', %s', lizsync.value_expression(p_relation, c.column_name, 'i.new_values')), '')
                from unnest(v_columns) as c (column_name)
            ))
        using p_from_row, p_to_row;
        get diagnostics v_rows = row_count;
        if v_rows < v_inserts then
            raise exception using
                errcode = 'LZ003',
                message = format('a trigger or rule of %s kept a row from being written', p_relation);
        end if;
        v_all_rows := v_all_rows + v_rows;

        insert into audit.logged_actions (
            changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, new_values
        )
        select
            i.changed_at, i.corrected_at, v_relation_id, i.action, i.uid, nullif(i.origin_server_id, v_server_id),
            i.received_from, i.new_values
        from pg_temp.lizsync_incoming as i
        where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a' and i.action <> 'D' and not i.exists_here
          and not i.several_parts;
        if v_several_parts then
            insert into audit.logged_actions (
                changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, new_values
            )
            select
                p.changed_at, p.corrected_at, v_relation_id, p.action, i.uid, nullif(p.origin_server_id, v_server_id),
                i.received_from, p.new_values
            from pg_temp.lizsync_incoming as i
            join pg_temp.lizsync_incoming_parts as p on p.row_id = i.row_id
            where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a' and i.action <> 'D' and not i.exists_here
            -- the insert is logged before what others wrote into the row later
            order by i.uid, p.action;
        end if;
    end if;

    if v_rewriting_triggers then
        perform lizsync.log_trigger_changes(p_relation, v_relation_id, p_from_row, p_to_row, v_unlogged_columns);
    end if;
    return v_all_rows;
end
$function$;

comment on function lizsync.apply_rows(regclass, integer, integer, boolean) is
    'Applies and logs rows of lizsync_incoming to one table; returns how many rows of the table changed. Fails as a whole.';
