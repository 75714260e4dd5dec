create or replace function lizsync.find_lost_parent(
    p_relation_id integer,
    p_key_values @extschema:hstore@.hstore,
    p_position pg_snapshot,
    p_sender_id uuid
)
returns uuid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- most of the log is long carried, whatever is known about it
set enable_seqscan = off
as $function$
-- Who had seen the loss and refers to the key all the same means another row, which has taken the key over.
declare
    v_columns constant text[] := @extschema:hstore@.akeys(p_key_values);
    v_sender_is_clone constant boolean := (select m.server_role = 'central' from lizsync.server_metadata as m);
    v_uid uuid;
begin
    -- a row that had the key here
    select l.uid into v_uid
    from audit.logged_actions as l
    where l.transaction_id >= pg_snapshot_xmin(p_position)
      and not pg_visible_in_snapshot(l.transaction_id, p_position)
      and l.relation_id = p_relation_id
      and l.action in ('D', 'U')
      and @extschema:hstore@.slice(l.old_values, v_columns) operator(@extschema:hstore@.<>) ''
      and p_key_values operator(@extschema:hstore@.@>) @extschema:hstore@.slice(l.old_values, v_columns)
      -- a change that was held does not say any more who sent it, but a clone's is its own, and all others come from the central
      and (p_sender_id is null
           or (l.received_from is distinct from p_sender_id
               and (l.origin_server_id is null or (v_sender_is_clone and l.origin_server_id <> p_sender_id))))
    order by l.event_id desc
    limit 1;
    if found then
        return v_uid;
    end if;

    -- no row ever had: its parent got the key elsewhere, in a change that lost here, and the conflict tells which row it was
    select lost.uid into v_uid
    from (
        select c.uid, c.losing_values, 0::bigint as position
        from pg_temp.lizsync_found_conflicts as c
        join audit.logged_relations as r using (schema_name, table_name)
        left join pg_temp.lizsync_incoming as i on i.row_id = c.row_id
        where r.relation_id = p_relation_id and i.state is distinct from 'h'
        union all
        select c.uid, c.losing_values, - c.conflict_id
        from lizsync.conflicts as c
        join audit.logged_relations as r using (schema_name, table_name)
        where r.relation_id = p_relation_id
    ) as lost
    where @extschema:hstore@.slice(lost.losing_values, v_columns) operator(@extschema:hstore@.<>) ''
      and p_key_values operator(@extschema:hstore@.@>) @extschema:hstore@.slice(lost.losing_values, v_columns)
      -- what it lost against is what the sender had not seen
      and exists (
          select from audit.logged_actions as l
          where l.transaction_id >= pg_snapshot_xmin(p_position)
            and not pg_visible_in_snapshot(l.transaction_id, p_position)
            and l.relation_id = p_relation_id
            and l.uid = lost.uid
      )
    order by lost.position desc
    limit 1;
    return v_uid;
end
$function$;

comment on function lizsync.find_lost_parent(integer, @extschema:hstore@.hstore, pg_snapshot, uuid) is
    'The row of a table that had a key and has it no more, or got it elsewhere in a change that lost here. Only what was logged '
    'outside p_position counts, and not what p_sender_id did (null: whoever did it). Null: no such row.';
