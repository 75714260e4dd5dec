create or replace function lizsync.start_incoming()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    -- one row to apply: all parts of a staged row together, its values as they came and, where some lost, as they are written
    create temporary table lizsync_incoming (
        row_id integer generated always as identity,
        batch integer not null,
        relation regclass not null,
        schema_name text not null,
        table_name text not null,
        uid uuid not null,
        action "char" not null,
        new_values @extschema:hstore@.hstore,
        remaining_values @extschema:hstore@.hstore,
        -- the only writer; of several, each is a row of lizsync_incoming_parts
        several_parts boolean not null,
        origin_server_id uuid,
        changed_at timestamp with time zone,
        corrected_at timestamp with time zone,
        -- null: the change counts as made here and travels to every other server, the sender included
        received_from uuid,
        -- as the change supposes, until lizsync.lock_rows has looked
        exists_here boolean not null,
        -- the whole row before the change, where triggers of the user may change more of it
        row_before @extschema:hstore@.hstore,
        -- columns that this server had changed to the same value: logged although nothing changes
        agreed_columns text[] not null default '{}',
        -- a: to apply, s: nothing to do, h: to hold
        state "char" not null default 'a',
        sqlstate text,
        message text,
        held_id bigint,
        held_since timestamp with time zone,
        held_position text,
        held_sqlstate text,
        -- the received row that made this server decide something about another one
        cause_row_id integer
    ) on commit drop;

    -- the tables of each batch, whose rows in lizsync_incoming stand together; null: not there yet
    create temporary table lizsync_incoming_relations (
        batch integer not null,
        schema_name text not null,
        table_name text not null,
        relation regclass,
        first_row integer,
        last_row integer,
        deletes bigint,
        updates bigint,
        inserts bigint,
        several_parts boolean
    ) on commit drop;

    create temporary table lizsync_incoming_parts (
        row_id integer not null,
        action "char" not null,
        origin_server_id uuid not null,
        changed_at timestamp with time zone not null,
        corrected_at timestamp with time zone,
        new_values @extschema:hstore@.hstore
    ) on commit drop;

    create temporary view lizsync_writers as
    select i.row_id, i.action, i.origin_server_id, i.changed_at, i.corrected_at, i.new_values
    from pg_temp.lizsync_incoming as i
    where not i.several_parts
    union all
    select p.row_id, p.action, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values
    from pg_temp.lizsync_incoming_parts as p;

    create temporary table lizsync_found_conflicts (
        row_id integer,
        schema_name text not null,
        table_name text not null,
        uid uuid not null,
        kind text not null,
        winner_server_id uuid,
        loser_server_id uuid,
        winner_changed_at timestamp with time zone,
        loser_changed_at timestamp with time zone,
        winning_values @extschema:hstore@.hstore,
        losing_values @extschema:hstore@.hstore,
        -- of what a foreign key asks for: the batch that does it, and the key without a parent, where the row is the child
        repair_batch integer,
        child_key @extschema:hstore@.hstore
    ) on commit drop;
end
$function$;

comment on function lizsync.start_incoming() is 'Creates the working tables of one lizsync.apply_changes.';
