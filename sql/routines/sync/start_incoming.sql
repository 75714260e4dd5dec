create or replace function lizsync.start_incoming()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    -- one row to apply: all parts of a staged row together
    create temporary table lizsync_incoming (
        row_id integer generated always as identity primary key,
        batch integer not null,
        relation regclass not null,
        schema_name text not null,
        table_name text not null,
        uid uuid not null,
        action "char" not null,
        new_values @extschema:hstore@.hstore,
        several_parts boolean not null,
        -- null: the change counts as made here and travels to every other server, the sender included
        received_from uuid,
        exists_here boolean not null default false,
        -- columns that this server had changed to the same value: logged although nothing changes
        agreed_columns text[] not null default '{}',
        lost_columns text[] not null default '{}',
        -- a: to apply, s: nothing to do, h: to hold
        state "char" not null default 'a',
        sqlstate text,
        message text,
        held_since timestamp with time zone,
        held_position text,
        -- the received row that made this server decide something about another one
        cause_row_id integer
    ) on commit drop;

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
        losing_values @extschema:hstore@.hstore
    ) on commit drop;
end
$function$;

comment on function lizsync.start_incoming() is 'Creates the working tables of one lizsync.apply_changes.';
