create or replace function lizsync.update_rows(
    p_relation regclass,
    p_relation_id integer,
    p_from_row integer,
    p_to_row integer,
    p_columns text[],
    p_several_parts boolean,
    p_replace boolean
)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_before text;
    v_change text;
    v_columns text[];
    v_rows integer;
begin
    if p_columns is null then
        return 0;
    end if;

    -- the values as they are, and which of them really change. No new_values among what is kept: a row of all three could be
    -- larger than PostgreSQL allows
    v_before := format($sql$
        with wanted as materialized (
            select
                b.row_id, b.uid, b.received_from, b.several_parts, b.origin_server_id, b.changed_at, b.corrected_at, b.old_values,
                case cardinality(b.agreed_columns)
                    when 0 then b.new_values operator(@extschema:hstore@.-) b.old_values
                    else @extschema:hstore@.slice(
                        b.new_values,
                        @extschema:hstore@.akeys(b.new_values operator(@extschema:hstore@.-) b.old_values) || b.agreed_columns)
                end as changes
            from (
                select
                    i.row_id, i.uid, i.received_from, i.several_parts, i.origin_server_id, i.changed_at, i.corrected_at,
                    i.agreed_columns, coalesce(i.remaining_values, i.new_values) as new_values,
                    @extschema:hstore@.hstore(c.*) as old_values
                from pg_temp.lizsync_incoming as i
                join %1$s as t on t.uid = i.uid
                cross join lateral (select %2$s) as c
                where i.row_id >= $1 and i.row_id < $2 and i.state = 'a' and i.action <> 'D' and i.exists_here
                offset 0
            ) as b
        ), written as (
            select
                w.uid, w.received_from, w.origin_server_id, w.changed_at, w.corrected_at, w.old_values, w.changes
            from wanted as w
            where not w.several_parts
            %3$s
        ), logged as (
            insert into audit.logged_actions (
                changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, old_values, new_values
            )
            select
                w.changed_at, w.corrected_at, $3, 'U', w.uid, nullif(w.origin_server_id, $4), w.received_from,
                @extschema:hstore@.slice(w.old_values, @extschema:hstore@.akeys(w.changes)), w.changes
            from written as w
            where w.changes operator(@extschema:hstore@.<>) ''
        )$sql$,
        p_relation,
        (select string_agg(format('t.%I', c.column_name), ', ') from unnest(p_columns) as c (column_name)),
        case when p_several_parts then $sql$
            union all
            select
                w.uid, w.received_from, p.origin_server_id, p.changed_at, p.corrected_at, w.old_values,
                @extschema:hstore@.slice(w.changes, @extschema:hstore@.akeys(p.new_values))
            from wanted as w
            join pg_temp.lizsync_incoming_parts as p on p.row_id = w.row_id
            where w.several_parts$sql$ else '' end
    );

    if p_replace then
        select array_agg(a.attname::text) into v_columns
        from pg_attribute as a
        where a.attrelid = p_relation and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';

        v_change := format($sql$
            , removed as (
                delete from %1$s as t
                using wanted as w
                where t.uid = w.uid and w.changes operator(@extschema:hstore@.<>) ''
                returning t.uid, @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.||) w.changes as new_values
            )
            insert into %1$s (%2$s)
            overriding system value
            select %3$s
            from (select * from removed order by uid) as r  -- the sort takes all rows out before the first comes back$sql$,
            p_relation,
            (select string_agg(format('%I', c.column_name), ', ') from unnest(v_columns) as c (column_name)),
            (
                select string_agg(lizsync.value_expression(p_relation, c.column_name, 'r.new_values'), ', ')
                from unnest(v_columns) as c (column_name)
            )
        );
    else
        v_change := format($sql$
            update %1$s as t
            set %2$s
            from wanted as w
            where t.uid = w.uid and w.changes operator(@extschema:hstore@.<>) ''$sql$,
            p_relation,
            (
                select string_agg(
                    format('%1$I = case when @extschema:hstore@.exist(w.changes, %1$L) then %2$s else t.%1$I end',
                           c.column_name, lizsync.value_expression(p_relation, c.column_name, 'w.changes')),
                    ', ')
                from unnest(p_columns) as c (column_name)
                join pg_attribute as a on a.attrelid = p_relation and a.attname = c.column_name
            )
        );
    end if;

    execute v_before || v_change
    using p_from_row, p_to_row, p_relation_id, lizsync.server_id();
    get diagnostics v_rows = row_count;
    return v_rows;
end
$function$;

comment on function lizsync.update_rows(regclass, integer, integer, integer, text[], boolean, boolean) is
    'The part of lizsync.apply_rows for rows that are there: writes and logs the columns of p_columns whose value changes.';
