create or replace function lizsync.check_repairs(p_batch integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- Between the look that lizsync.repair_foreign_keys took at the rows and the lock on them somebody may have written to them.
-- What they lose is what they have now. A child that has got another key meanwhile, or is gone, needs no repair: who did
-- that has seen to its parent, or their sync has.
declare
    v_relation record;
    v_parent record;
begin
    select i.schema_name, i.table_name, i.uid into v_parent
    from pg_temp.lizsync_incoming as i
    join pg_temp.lizsync_found_conflicts as c
        on c.repair_batch = i.batch and (c.schema_name, c.table_name, c.uid) = (i.schema_name, i.table_name, i.uid)
    where i.batch = p_batch and i.action = 'U' and not i.exists_here and c.kind = 'foreign_key_restore'
    limit 1;
    if found then
        raise exception using
            errcode = 'serialization_failure',
            message = format('row %s of %I.%I was deleted while a child needed it', v_parent.uid, v_parent.schema_name, v_parent.table_name),
            hint = 'Nothing was lost; synchronise again.';
    end if;

    update pg_temp.lizsync_incoming as i
    set state = 's'
    where i.batch = p_batch and i.state = 'a' and i.action <> 'I' and not i.exists_here;

    for v_relation in
        select r.relation, r.schema_name, r.table_name from pg_temp.lizsync_incoming_relations as r where r.batch = p_batch
    loop
        execute format($sql$
            update pg_temp.lizsync_incoming as i
            set state = 's'
            from %s as t
            where t.uid = i.uid and i.batch = $1 and i.relation = %s and i.state = 'a'
              and not exists (
                  select from pg_temp.lizsync_found_conflicts as c
                  where c.repair_batch = i.batch and c.uid = i.uid
                    and (c.schema_name, c.table_name) = (i.schema_name, i.table_name)
                    and (c.child_key is null or @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.@>) c.child_key))$sql$,
            v_relation.relation, v_relation.relation::oid)
        using p_batch;

        execute format($sql$
            update pg_temp.lizsync_found_conflicts as c
            set losing_values = @extschema:hstore@.slice(
                @extschema:hstore@.hstore(t.*), coalesce(@extschema:hstore@.akeys(c.winning_values), $2))
            from %s as t
            where t.uid = c.uid and c.repair_batch = $1 and (c.schema_name, c.table_name) = ($3, $4)$sql$,
            v_relation.relation)
        using p_batch, lizsync.synchronised_columns(v_relation.schema_name, v_relation.table_name),
            v_relation.schema_name, v_relation.table_name;
    end loop;

    delete from pg_temp.lizsync_found_conflicts as c
    using pg_temp.lizsync_incoming as i
    where c.repair_batch = p_batch and i.batch = p_batch and i.state = 's'
      and (i.schema_name, i.table_name, i.uid) = (c.schema_name, c.table_name, c.uid);
end
$function$;

comment on function lizsync.check_repairs(integer) is
    'Once the rows of a batch that repairs foreign keys are locked: notes what they lose, and skips those that need no repair any more. '
    '40001: a parent that was to get its key back is gone; another try finds that it was deleted.';
