create or replace function lizsync.find_lost_parent(p_relation_id integer, p_key_values @extschema:hstore@.hstore)
returns uuid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_columns constant text[] := @extschema:hstore@.akeys(p_key_values);
    v_uid uuid;
begin
    -- a row that had the key here
    select l.uid into v_uid
    from audit.logged_actions as l
    where l.relation_id = p_relation_id
      and l.action in ('D', 'U')
      and @extschema:hstore@.slice(l.old_values, v_columns) operator(@extschema:hstore@.<>) ''
      and p_key_values operator(@extschema:hstore@.@>) @extschema:hstore@.slice(l.old_values, v_columns)
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
    order by lost.position desc
    limit 1;
    return v_uid;
end
$function$;

comment on function lizsync.find_lost_parent(integer, @extschema:hstore@.hstore) is
    'The row of a table that had a key and has it no more, or got it elsewhere in a change that lost here; null: nothing is known.';
