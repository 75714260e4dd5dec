-- The tables of a server: audit (what changed) and lizsync (who this server is, its links, what synchronisation did).
-- @extschema:NAME@ stands for the schema in which the extension NAME is installed, quoted.

create schema if not exists audit;
create schema if not exists lizsync;
revoke all on schema audit, lizsync from public;

comment on schema audit is 'lizsync: every insert, update and delete on the audited tables';
comment on schema lizsync is 'lizsync: servers, links, synchronisation, history';

-- ---- audit --------------------------------------------------------------------------------------------------------

create table audit.logged_relations (
    relation_id integer generated always as identity primary key,
    schema_name text not null,
    table_name text not null,
    -- columns that are neither logged nor synchronised
    excluded_columns text[] not null default '{}',
    created_at timestamp with time zone not null default clock_timestamp(),
    unique (schema_name, table_name)
);
comment on table audit.logged_relations is
    'Audited tables. The audit triggers carry relation_id as their argument; partitions log under the name of their root.';

create table audit.logged_statements (
    statement_id bigint generated always as identity (cache 1) primary key,
    transaction_id xid8 not null,
    logged_at timestamp with time zone not null,
    session_user_name text not null,
    application_name text,
    client_address inet,
    client_query text
);
comment on table audit.logged_statements is
    'Who changed audited rows and how: one row for each statement that changed at least one row.';
comment on column audit.logged_statements.client_query is
    'Text that the client sent, at most the first 10,000 characters.';

create sequence audit.event_id_sequence as bigint cache 1;

create table audit.logged_actions (
    event_id bigint not null default nextval('audit.event_id_sequence') primary key,
    transaction_id xid8 not null default pg_current_xact_id(),
    -- neither relation_id nor statement_id has a foreign key: the check would run for every changed row of every table
    statement_id bigint,
    changed_at timestamp with time zone not null,
    corrected_at timestamp with time zone,
    relation_id integer not null,
    action "char" not null check (action in ('I', 'U', 'D')),
    uid uuid not null,
    origin_server_id uuid,
    received_from uuid,
    old_values @extschema:hstore@.hstore,
    new_values @extschema:hstore@.hstore
);
alter sequence audit.event_id_sequence owned by audit.logged_actions.event_id;
-- finds the window of a link: events from the oldest transaction that a position does not cover
create index logged_actions_transaction_id on audit.logged_actions (transaction_id);

comment on table audit.logged_actions is
    'One event for each change of one row of an audited table, values as PostgreSQL''s own text.';
comment on column audit.logged_actions.statement_id is 'Row of audit.logged_statements; null for a change that synchronisation applied.';
comment on column audit.logged_actions.changed_at is 'Time of the change by the clock of the server where it was made.';
comment on column audit.logged_actions.corrected_at is
    'Time of the change by the clock of the central; null for a change made here, it is corrected when it is sent.';
comment on column audit.logged_actions.origin_server_id is 'Server where the change was made; null: here.';
comment on column audit.logged_actions.received_from is 'Server that sent the change; null: made here.';
comment on column audit.logged_actions.old_values is 'Values before the change: of the changed columns (U), of all columns (D), null (I).';
comment on column audit.logged_actions.new_values is 'Values after the change: of the changed columns (U), of all columns (I), null (D).';

-- ---- lizsync ------------------------------------------------------------------------------------------------------

create table lizsync.migrations (
    migration_number integer primary key,
    migration_name text not null,
    sha256 text not null,
    tool_version text not null,
    applied_at timestamp with time zone not null default clock_timestamp()
);
comment on table lizsync.migrations is 'Ledger of the migrations that were applied to this database.';

create table lizsync.applied_routines (
    only_row boolean primary key default true check (only_row),
    sha256 text not null,
    -- of what creates the triggers on audited tables: when it changes, the triggers are made anew
    triggers_sha256 text not null,
    tool_version text not null,
    applied_at timestamp with time zone not null default clock_timestamp()
);
comment on table lizsync.applied_routines is
    'Which set of functions this database has: they are not migrated but replaced as a whole when the set differs.';

create table lizsync.server_metadata (
    only_row boolean primary key default true check (only_row),
    server_id uuid not null default gen_random_uuid(),
    server_name text not null,
    server_role text not null check (server_role in ('central', 'clone')),
    -- the incarnation: a dump restored elsewhere or a copied database has other values, and positions mean nothing there
    system_identifier bigint not null,
    database_oid oid not null,
    created_at timestamp with time zone not null default clock_timestamp(),
    -- central only: all events of transactions before this one may have been removed from the log
    pruned_before xid8,
    -- central only: the latest time of a removed event
    pruned_until timestamp with time zone
);
comment on table lizsync.server_metadata is 'Who this server is.';

create table lizsync.links (
    peer_id uuid primary key,
    peer_name text not null,
    peer_system_identifier bigint,
    peer_database_oid oid,
    -- how far the peer's log has been applied here; changes in the transaction that applies
    position pg_snapshot not null,
    -- how far the peer had applied the log of this server when it last said so; for monitoring and pruning only
    peer_position pg_snapshot,
    last_sync_id uuid,
    -- the transaction of the clone in which the last sync began: tells a rolled-back caller from a restored backup
    last_sync_transaction_id xid8,
    -- clone only: a sync that began and was not seen to end
    pending_sync_id uuid,
    clock_offset interval,
    last_synchronised_at timestamp with time zone,
    created_at timestamp with time zone not null default clock_timestamp(),
    deployed_at timestamp with time zone not null default clock_timestamp(),
    -- central only: the clone needs a new package, what it has not received need not be kept
    expired_at timestamp with time zone,
    retired_at timestamp with time zone
);
comment on table lizsync.links is
    'One row for each link of this server: on the central one for each clone, on a clone the one to its central.';
comment on column lizsync.links.clock_offset is 'Clock of the clone minus clock of the central, measured at the last sync.';

create table lizsync.granted_roles (
    role_name text not null,
    -- on the central the clone that the role may synchronise, on a clone its central
    peer_id uuid not null references lizsync.links on delete cascade,
    primary key (role_name, peer_id)
);
comment on table lizsync.granted_roles is
    'Roles that may synchronise a link without owning anything: who a clone is follows from the role that connects.';

create table lizsync.link_relations (
    peer_id uuid not null references lizsync.links on delete cascade,
    schema_name text not null,
    table_name text not null,
    primary key (peer_id, schema_name, table_name)
);
comment on table lizsync.link_relations is 'Tables that a link synchronises: those of the package the clone was deployed from.';

create table lizsync.packages (
    package_id uuid primary key,
    created_at timestamp with time zone not null default clock_timestamp(),
    created_by text not null default session_user,
    -- what the package holds of this server's log; becomes the first position of a clone
    snapshot pg_snapshot not null,
    manifest_sha256 text not null,
    relations text[] not null
);
comment on table lizsync.packages is 'Packages made from this central.';

create table lizsync.deployments (
    clone_id uuid primary key,
    clone_name text not null,
    clone_system_identifier bigint not null,
    clone_database_oid oid not null,
    clone_position pg_snapshot not null,
    clone_transaction_id xid8 not null,
    sync_id uuid not null,
    package_id uuid not null references lizsync.packages,
    created_at timestamp with time zone not null default clock_timestamp()
);
comment on table lizsync.deployments is
    'Deployments that the clone may have committed or not: a link is made of one, or changed, once the clone is known to have it.';

create table lizsync.history (
    sync_id uuid not null,
    peer_id uuid not null,
    transport text not null check (transport in ('cli', 'sql')),
    started_at timestamp with time zone not null default clock_timestamp(),
    finished_at timestamp with time zone,
    -- rows changed in the central, in the clone; null: that half did not happen (as far as this server knows)
    pushed bigint,
    pulled bigint,
    conflicts bigint not null default 0,
    held bigint not null default 0,
    clock_offset interval,
    primary key (peer_id, sync_id)
);
comment on table lizsync.history is 'Every sync of every link of this server.';

create table lizsync.conflicts (
    conflict_id bigint generated always as identity primary key,
    sync_id uuid not null,
    peer_id uuid not null,
    schema_name text not null,
    table_name text not null,
    uid uuid not null,
    kind text not null check (kind in (
        'update_update', 'delete_update', 'update_delete', 'foreign_key_cascade', 'foreign_key_set', 'foreign_key_restore',
        'held_discarded'
    )),
    winner_server_id uuid,
    loser_server_id uuid,
    winner_changed_at timestamp with time zone,
    loser_changed_at timestamp with time zone,
    winning_values @extschema:hstore@.hstore,
    losing_values @extschema:hstore@.hstore,
    resolved_at timestamp with time zone not null default clock_timestamp()
);
comment on table lizsync.conflicts is 'Changes that two servers made to the same thing, and how they were resolved.';
create index conflicts_sync_id on lizsync.conflicts (sync_id);

-- Net changes on their way: what a sender delivered and the receiver has not applied yet. Lost in a crash at no cost:
-- the next sync delivers them again.
create unlogged table lizsync.staged_changes (
    sync_id uuid not null,
    schema_name text not null,
    table_name text not null,
    uid uuid not null,
    action "char" not null,
    origin_server_id uuid not null,
    changed_at timestamp with time zone not null,
    -- null: a change of this server, corrected when it is sent
    corrected_at timestamp with time zone,
    new_values @extschema:hstore@.hstore,
    -- 0: received; 1 and up: what this server decided about foreign keys while it applied them
    batch integer not null default 0
);
comment on table lizsync.staged_changes is
    'Net changes that were received and are being applied: for a row one D, or one I and one U for each further writer, or U only.';

create table lizsync.held_changes (
    held_id bigint generated always as identity primary key,
    peer_id uuid not null,
    schema_name text not null,
    table_name text not null,
    uid uuid not null,
    sqlstate text not null,
    message text not null,
    held_since timestamp with time zone not null default clock_timestamp(),
    last_tried_at timestamp with time zone not null default clock_timestamp(),
    -- what this server had when the change was held: changes made here since then conflict with it when it is retried
    held_position pg_snapshot not null,
    unique (schema_name, table_name, uid, peer_id)
);
comment on table lizsync.held_changes is
    'Rows whose incoming net change could not be applied; retried at every sync, never dropped.';

create table lizsync.held_change_parts (
    held_id bigint not null references lizsync.held_changes on delete cascade,
    action "char" not null check (action in ('I', 'U', 'D')),
    origin_server_id uuid not null,
    changed_at timestamp with time zone not null,
    corrected_at timestamp with time zone not null,
    new_values @extschema:hstore@.hstore
);
create index held_change_parts_held_id on lizsync.held_change_parts (held_id);
comment on table lizsync.held_change_parts is 'The net change of a held row, one part for each writer, as in lizsync.staged_changes.';
