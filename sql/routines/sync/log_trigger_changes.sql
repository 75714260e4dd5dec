create or replace function lizsync.log_trigger_changes(
    p_relation regclass,
    p_relation_id integer,
    p_from_row integer,
    p_to_row integer,
    p_unlogged_columns text[]
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
-- What a user's trigger made of a received row is a change of this server, which travels back. A trigger that keeps a row
-- from being written at all refuses it: then the row is held.
declare
    v_refused uuid;
begin
    execute format($sql$
        select i.uid
        from pg_temp.lizsync_incoming as i
        left join %s as t on t.uid = i.uid
        where i.row_id >= $1 and i.row_id < $2 and i.state = 'a'
          and case
              when i.action = 'D' then t.uid is not null
              when i.exists_here then t.uid is null
                  or (@extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $3 operator(@extschema:hstore@.=) i.row_before
                      and not i.row_before operator(@extschema:hstore@.@>)
                          (coalesce(i.remaining_values, i.new_values) operator(@extschema:hstore@.-) $3))
              else t.uid is null
          end
        limit 1$sql$, p_relation)
    into v_refused
    using p_from_row, p_to_row, p_unlogged_columns;
    if v_refused is not null then
        raise exception using
            errcode = 'LZ003',
            message = format('a trigger of %s kept row %s from being written', p_relation, v_refused);
    end if;

    execute format($sql$
        insert into audit.logged_actions (changed_at, relation_id, action, uid, old_values, new_values)
        select clock_timestamp(), $4, 'U', r.uid, @extschema:hstore@.slice(r.expected, @extschema:hstore@.akeys(r.changes)), r.changes
        from (
            select
                e.uid, e.expected,
                e.written operator(@extschema:hstore@.-) e.expected as changes
            from (
                select
                    i.uid,
                    coalesce(i.row_before, '') operator(@extschema:hstore@.||)
                        (coalesce(i.remaining_values, i.new_values) operator(@extschema:hstore@.-) $3) as expected,
                    @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $3 as written
                from pg_temp.lizsync_incoming as i
                join %s as t on t.uid = i.uid
                where i.row_id >= $1 and i.row_id < $2 and i.state = 'a' and i.action <> 'D'
            ) as e
        ) as r
        where r.changes operator(@extschema:hstore@.<>) ''$sql$, p_relation)
    using p_from_row, p_to_row, p_unlogged_columns, p_relation_id;
end
$function$;

comment on function lizsync.log_trigger_changes(regclass, integer, integer, integer, text[]) is
    'Logs, as changes made here, what triggers changed in rows of lizsync_incoming that were just written.';
