create or replace function lizsync.find_parent_that_lost(
    p_parent regclass,
    p_relation_id integer,
    p_key_values @extschema:hstore@.hstore
)
returns table (
    action "char",
    uid uuid,
    old_values @extschema:hstore@.hstore,
    new_values @extschema:hstore@.hstore
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- A child refers to a key that no row ever had here: its parent got the key elsewhere, in a change that lost, because the
-- row was deleted here or given another key. The conflict tells which row it was.
declare
    v_columns constant text[] := @extschema:hstore@.akeys(p_key_values);
    v_uid uuid;
    v_key_here @extschema:hstore@.hstore;
begin
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
    if v_uid is null then
        return;
    end if;

    execute format('select (select @extschema:hstore@.hstore(k.*) from (select %s) as k) from %s as p where p.uid = $1',
        (select string_agg(format('p.%I', c.column_name), ', ') from unnest(v_columns) as c (column_name)), p_parent)
    into v_key_here
    using v_uid;
    if v_key_here is not null then
        return query select 'U'::"char", v_uid, p_key_values, v_key_here;
        return;
    end if;

    return query
    select l.action, l.uid, l.old_values, l.new_values
    from audit.logged_actions as l
    where l.relation_id = p_relation_id and l.uid = v_uid and l.action = 'D'
    order by l.event_id desc
    limit 1;
end
$function$;

comment on function lizsync.find_parent_that_lost(regclass, integer, @extschema:hstore@.hstore) is
    'What became of the row that had a key elsewhere, as an event: D with what it was, or U from that key to the one it has here; no row when nothing is known.';
