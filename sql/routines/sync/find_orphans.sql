create or replace function lizsync.find_orphans(p_constraint_oid oid, p_batch integer, p_after_event_id bigint)
returns table (child_uid uuid, child_table regclass, child_ctid tid, key_values @extschema:hstore@.hstore)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- Foreign keys are not checked by PostgreSQL while changes are applied. A constraint can be broken from two sides: by a
-- child that this batch wrote, or by a parent that it deleted or gave another key.
declare
    v_constraint record;
    v_child_has_uid boolean;
    v_key_comparison text;
    v_child_keys text;
    v_child_touched text;
begin
    select k.* into strict v_constraint from lizsync.foreign_keys(array[p_constraint_oid]) as k;

    v_child_has_uid := exists (
        select from pg_attribute as a
        where a.attrelid = v_constraint.child and a.attname = 'uid' and a.atttypid = 'uuid'::regtype);

    select
        string_agg(format('p.%I %s c.%I', k.parent_column, k.operator, k.child_column), ' and '),
        string_agg(format('c.%I', k.child_column), ', ')
    into v_key_comparison, v_child_keys
    from unnest(v_constraint.parent_columns, v_constraint.child_columns, v_constraint.operators)
        as k (parent_column, child_column, operator);

    v_child_touched := format($sql$
        exists (
            select from pg_temp.lizsync_incoming as i
            where i.relation = %s and i.uid = c.uid and i.batch = %s and i.state = 'a' and i.action <> 'D'
              and (not i.exists_here or @extschema:hstore@.exists_any(coalesce(i.remaining_values, i.new_values), %L))
        )$sql$, v_constraint.child::oid, p_batch, v_constraint.child_columns);

    if exists (select from pg_temp.lizsync_incoming as i
               where i.relation = v_constraint.child and i.batch = p_batch and i.state = 'a' and i.action <> 'D') then
        -- a parent that is here must stay until this transaction ends: the lock that PostgreSQL's own check takes
        execute format('select 1 from %s as p where exists (select from %s as c where %s and %s) for key share',
                       v_constraint.parent, v_constraint.child, v_key_comparison, v_child_touched);

        return query execute format($sql$
            select c.uid, c.tableoid::regclass, c.ctid, (select @extschema:hstore@.hstore(k.*) from (select %4$s) as k)
            from %1$s as c
            where %2$s and num_nulls(%4$s) = 0 and not exists (select from %3$s as p where %5$s)$sql$,
            v_constraint.child, v_child_touched, v_constraint.parent, v_child_keys, v_key_comparison);
    end if;

    if v_constraint.parent_relation_id is not null
       and exists (select from pg_temp.lizsync_incoming as i
                   where i.relation = v_constraint.parent and i.batch = p_batch and i.state = 'a' and i.exists_here
                     and (i.action = 'D' or @extschema:hstore@.exists_any(i.new_values, v_constraint.parent_columns))) then
        return query execute format($sql$
            with gone as materialized (
                select %1$s
                from (
                    select
                        case l.action
                            when 'D' then l.old_values
                            else (select @extschema:hstore@.hstore(k.*) from (select %2$s) as k)
                                 operator(@extschema:hstore@.||) l.old_values
                        end as old_values
                    from audit.logged_actions as l
                    left join %3$s as p on p.uid = l.uid
                    where l.transaction_id = pg_current_xact_id()
                      and l.event_id > $1
                      and l.relation_id = $2
                      and (l.action = 'D' or (l.action = 'U' and @extschema:hstore@.exists_any(l.old_values, $3)))
                ) as before
            )
            select %4$s, c.tableoid::regclass, c.ctid, (select @extschema:hstore@.hstore(k.*) from (select %5$s) as k)
            from %6$s as c
            where exists (select from gone as p where %7$s)
              and not exists (select from %3$s as p where %7$s)
            %8$s$sql$,
            (
                select string_agg(
                    format('%s as %I', lizsync.value_expression(v_constraint.parent, k.column_name, 'before.old_values'),
                           k.column_name), ', ')
                from unnest(v_constraint.parent_columns) as k (column_name)
            ),
            (select string_agg(format('p.%I', k.column_name), ', ') from unnest(v_constraint.parent_columns) as k (column_name)),
            v_constraint.parent,
            case when v_child_has_uid then 'c.uid' else 'null::uuid' end,
            v_child_keys,
            v_constraint.child,
            v_key_comparison,
            -- rows of a table that is synchronised are locked later, as all that a batch changes
            case when v_constraint.child_relation_id is null then 'for update of c' end)
        using p_after_event_id, v_constraint.parent_relation_id, v_constraint.parent_columns;
    end if;
end
$function$;

comment on function lizsync.find_orphans(oid, integer, bigint) is
    'Rows that violate a foreign key after a batch was applied, with their key columns; locks the parents of the others, and rows of tables that are not audited.';
