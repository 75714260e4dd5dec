-- Name: audit; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA audit;

-- Name: SCHEMA audit; Type: COMMENT; Schema: -; Owner: -

COMMENT ON SCHEMA audit IS 'lizsync: every insert, update and delete on the audited tables';

-- Name: lizsync; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA lizsync;

-- Name: SCHEMA lizsync; Type: COMMENT; Schema: -; Owner: -

COMMENT ON SCHEMA lizsync IS 'lizsync: servers, links, synchronisation, history';

-- Name: continue_stage(uuid); Type: PROCEDURE; Schema: lizsync; Owner: -

CREATE PROCEDURE lizsync.continue_stage(IN p_sync_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The lock of the link ended with the transaction of the part before. Another sync may have begun then, and counts on what
-- it found: nothing is added to that. Or the clone was retired.
begin
    perform set_config('lizsync.sync_id', p_sync_id::text, true);
    perform set_config('statement_timeout', '0', true);
    perform set_config('lock_timeout', '60s', true);
    perform lizsync.check_peer(s.peer_id), lizsync.await_link(s.peer_id)
    from lizsync.stages as s
    where s.sync_id = p_sync_id;
    if not exists (
        select
        from lizsync.stages as s
        join lizsync.links as l on l.peer_id = s.peer_id
        where s.sync_id = p_sync_id and s.complete_below is null and l.retired_at is null
    ) then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link has begun in the meantime, or the link has ended',
            hint = 'Synchronise again when it has finished.';
    end if;
end
$$;

-- Name: PROCEDURE continue_stage(IN p_sync_id uuid); Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON PROCEDURE lizsync.continue_stage(IN p_sync_id uuid) IS 'Begins the transaction of the next part of a delivery that is committed part by part: sets what COPY into lizsync.staged_changes needs, and locks the link. LZ004 when another sync of it has begun, or it has ended.';

-- Name: keep_stage(uuid, uuid, pg_snapshot, jsonb, jsonb, pg_snapshot, uuid); Type: PROCEDURE; Schema: lizsync; Owner: -

CREATE PROCEDURE lizsync.keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- When the link is not at p_from any more, lizsync.continue_stage says so.
begin
    perform lizsync.check_peer(p_sender_id);
    perform lizsync.await_link(p_sender_id);
    perform lizsync.drop_stages(array(
        select s.sync_id from lizsync.stages as s
        where s.peer_id = p_sender_id and s.sync_id is distinct from p_resumed_sync_id
    ));
    insert into lizsync.stages (sync_id, peer_id, from_position, ahead, tables, to_position)
    select p_sync_id, l.peer_id, l.position, p_ahead, p_tables, p_to
    from lizsync.links as l
    where l.peer_id = p_sender_id and l.position::text = p_from::text;
end
$$;

-- Name: PROCEDURE keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid); Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON PROCEDURE lizsync.keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid) IS 'Says that a delivery is going to be committed part by part, so that the next sync can go on from what came of it; p_resumed_sync_id: the one that it goes on from itself.';

-- Name: logged_actions; Type: TABLE; Schema: audit; Owner: -

CREATE TABLE audit.logged_actions (
    event_id bigint NOT NULL,
    transaction_id xid8 DEFAULT pg_current_xact_id() NOT NULL,
    statement_id bigint,
    changed_at timestamp with time zone NOT NULL,
    corrected_at timestamp with time zone,
    relation_id integer NOT NULL,
    action "char" NOT NULL,
    uid uuid NOT NULL,
    origin_server_id uuid,
    received_from uuid,
    old_values public.hstore,
    new_values public.hstore,
    unlogged_columns text[],
    CONSTRAINT logged_actions_action_check CHECK ((action = ANY (ARRAY['I'::"char", 'U'::"char", 'D'::"char"])))
);

-- Name: TABLE logged_actions; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON TABLE audit.logged_actions IS 'One event for each change of one row of an audited table, values as PostgreSQL''s own text.';

-- Name: COLUMN logged_actions.statement_id; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_actions.statement_id IS 'Row of audit.logged_statements; null for a change that synchronisation applied.';

-- Name: COLUMN logged_actions.changed_at; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_actions.changed_at IS 'Time of the change by the clock of the server where it was made.';

-- Name: COLUMN logged_actions.corrected_at; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_actions.corrected_at IS 'Time of the change by the clock of the central; null for a change made here, it is corrected when it is sent.';

-- Name: COLUMN logged_actions.origin_server_id; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_actions.origin_server_id IS 'Server where the change was made; null: here.';

-- Name: COLUMN logged_actions.received_from; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_actions.received_from IS 'Server that sent the change; null: made here.';

-- Name: COLUMN logged_actions.old_values; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_actions.old_values IS 'Values before the change: of the changed columns (U), of all columns (D), null (I).';

-- Name: COLUMN logged_actions.new_values; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_actions.new_values IS 'Values after the change: of the changed columns (U), of all columns (I), null (D).';

-- Name: COLUMN logged_actions.unlogged_columns; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_actions.unlogged_columns IS 'Columns whose values were too large to be logged: null in new_values, not in old_values. Null: everything was logged.';

-- Name: event_id_sequence; Type: SEQUENCE; Schema: audit; Owner: -

CREATE SEQUENCE audit.event_id_sequence
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

-- Name: event_id_sequence; Type: SEQUENCE OWNED BY; Schema: audit; Owner: -

ALTER SEQUENCE audit.event_id_sequence OWNED BY audit.logged_actions.event_id;

-- Name: logged_relations; Type: TABLE; Schema: audit; Owner: -

CREATE TABLE audit.logged_relations (
    relation_id integer NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    excluded_columns text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

-- Name: TABLE logged_relations; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON TABLE audit.logged_relations IS 'Audited tables. The audit triggers carry relation_id as their argument; partitions log under the name of their root.';

-- Name: logged_relations_relation_id_seq; Type: SEQUENCE; Schema: audit; Owner: -

ALTER TABLE audit.logged_relations ALTER COLUMN relation_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit.logged_relations_relation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: logged_statements; Type: TABLE; Schema: audit; Owner: -

CREATE TABLE audit.logged_statements (
    statement_id bigint NOT NULL,
    transaction_id xid8 NOT NULL,
    logged_at timestamp with time zone NOT NULL,
    session_user_name text NOT NULL,
    application_name text,
    client_address inet,
    client_query text
);

-- Name: TABLE logged_statements; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON TABLE audit.logged_statements IS 'Who changed audited rows and how: one row for each statement that changed at least one row.';

-- Name: COLUMN logged_statements.client_query; Type: COMMENT; Schema: audit; Owner: -

COMMENT ON COLUMN audit.logged_statements.client_query IS 'Text that the client sent, at most the first 10,000 characters.';

-- Name: logged_statements_statement_id_seq; Type: SEQUENCE; Schema: audit; Owner: -

ALTER TABLE audit.logged_statements ALTER COLUMN statement_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit.logged_statements_statement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: applied_routines; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.applied_routines (
    only_row boolean DEFAULT true NOT NULL,
    sha256 text NOT NULL,
    triggers_sha256 text NOT NULL,
    tool_version text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT applied_routines_only_row_check CHECK (only_row)
);

-- Name: TABLE applied_routines; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.applied_routines IS 'Which set of functions this database has: they are not migrated but replaced as a whole when the set differs.';

-- Name: conflicts; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.conflicts (
    conflict_id bigint NOT NULL,
    sync_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    uid uuid NOT NULL,
    kind text NOT NULL,
    winner_server_id uuid,
    loser_server_id uuid,
    winner_changed_at timestamp with time zone,
    loser_changed_at timestamp with time zone,
    winning_values public.hstore,
    losing_values public.hstore,
    resolved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT conflicts_kind_check CHECK ((kind = ANY (ARRAY['update_update'::text, 'delete_update'::text, 'update_delete'::text, 'foreign_key_cascade'::text, 'foreign_key_set'::text, 'foreign_key_restore'::text, 'held_discarded'::text])))
);

-- Name: TABLE conflicts; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.conflicts IS 'Changes that two servers made to the same thing, and how they were resolved.';

-- Name: conflicts_conflict_id_seq; Type: SEQUENCE; Schema: lizsync; Owner: -

ALTER TABLE lizsync.conflicts ALTER COLUMN conflict_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lizsync.conflicts_conflict_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: deployments; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.deployments (
    clone_id uuid NOT NULL,
    clone_name text NOT NULL,
    clone_system_identifier bigint NOT NULL,
    clone_database_oid oid NOT NULL,
    clone_position pg_snapshot NOT NULL,
    clone_transaction_id xid8 NOT NULL,
    sync_id uuid NOT NULL,
    package_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

-- Name: TABLE deployments; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.deployments IS 'Deployments that the clone may have committed or not: a link is made of one, or changed, once the clone is known to have it.';

-- Name: granted_roles; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.granted_roles (
    role_name text NOT NULL,
    peer_id uuid NOT NULL
);

-- Name: TABLE granted_roles; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.granted_roles IS 'Roles that may synchronise a link without owning anything: who a clone is follows from the role that connects.';

-- Name: held_change_parts; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.held_change_parts (
    held_id bigint NOT NULL,
    action "char" NOT NULL,
    origin_server_id uuid NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    corrected_at timestamp with time zone NOT NULL,
    new_values public.hstore,
    CONSTRAINT held_change_parts_action_check CHECK ((action = ANY (ARRAY['I'::"char", 'U'::"char", 'D'::"char"])))
);

-- Name: TABLE held_change_parts; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.held_change_parts IS 'The net change of a held row, one part for each writer, as in lizsync.staged_changes.';

-- Name: held_changes; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.held_changes (
    held_id bigint NOT NULL,
    peer_id uuid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    uid uuid NOT NULL,
    sqlstate text NOT NULL,
    message text NOT NULL,
    held_since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_tried_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    held_position pg_snapshot NOT NULL
);

-- Name: TABLE held_changes; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.held_changes IS 'Rows whose incoming net change could not be applied; retried at every sync, never dropped.';

-- Name: held_changes_held_id_seq; Type: SEQUENCE; Schema: lizsync; Owner: -

ALTER TABLE lizsync.held_changes ALTER COLUMN held_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lizsync.held_changes_held_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: history; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.history (
    sync_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    transport text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    pushed bigint,
    pulled bigint,
    conflicts bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    clock_offset interval,
    CONSTRAINT history_transport_check CHECK ((transport = ANY (ARRAY['cli'::text, 'sql'::text])))
);

-- Name: TABLE history; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.history IS 'Every sync of every link of this server.';

-- Name: link_relations; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.link_relations (
    peer_id uuid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    "position" pg_snapshot
);

-- Name: TABLE link_relations; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.link_relations IS 'Tables that a link synchronises: those of the package the clone was deployed from.';

-- Name: COLUMN link_relations."position"; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.link_relations."position" IS 'How far the peer''s log has been applied here for this table, where that is further than the link; null: as far as the link.';

-- Name: links; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.links (
    peer_id uuid NOT NULL,
    peer_name text NOT NULL,
    peer_system_identifier bigint,
    peer_database_oid oid,
    "position" pg_snapshot NOT NULL,
    peer_position pg_snapshot,
    last_sync_id uuid,
    last_sync_transaction_id xid8,
    pending_sync_id uuid,
    clock_offset interval,
    last_synchronised_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    deployed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expired_at timestamp with time zone,
    retired_at timestamp with time zone,
    checked_sequences jsonb,
    peer_encoding name
);

-- Name: TABLE links; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.links IS 'One row for each link of this server: on the central one for each clone, on a clone the one to its central.';

-- Name: COLUMN links.clock_offset; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.links.clock_offset IS 'Clock of the clone minus clock of the central, measured at the last sync.';

-- Name: COLUMN links.checked_sequences; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.links.checked_sequences IS 'On the central, how far the sequences of the clone and its own were when lizsync.check_ranges found nothing to renew. null: it was not so.';

-- Name: COLUMN links.peer_encoding; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.links.peer_encoding IS 'The encoding of the other server''s database, as it said at the last sync. null: it has not said so yet.';

-- Name: migrations; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.migrations (
    migration_number integer NOT NULL,
    migration_name text NOT NULL,
    sha256 text NOT NULL,
    tool_version text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

-- Name: TABLE migrations; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.migrations IS 'Ledger of the migrations that were applied to this database.';

-- Name: packages; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.packages (
    package_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text DEFAULT SESSION_USER NOT NULL,
    snapshot pg_snapshot NOT NULL,
    manifest_sha256 text NOT NULL,
    relations text[] NOT NULL
);

-- Name: TABLE packages; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.packages IS 'Packages made from this central.';

-- Name: sequence_ranges; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.sequence_ranges (
    range_id bigint NOT NULL,
    sequence_id integer NOT NULL,
    lower_value bigint NOT NULL,
    upper_value bigint NOT NULL,
    clone_id uuid,
    drawn_value bigint,
    allotted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    confirmed_at timestamp with time zone,
    CONSTRAINT sequence_ranges_check CHECK ((upper_value >= lower_value)),
    CONSTRAINT sequence_ranges_check1 CHECK (((drawn_value >= lower_value) AND (drawn_value <= upper_value)))
);

-- Name: TABLE sequence_ranges; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.sequence_ranges IS 'Numbers of sequences of this central that clones draw from, or have drawn from. The central itself draws what is not in here.';

-- Name: sequence_ranges_range_id_seq; Type: SEQUENCE; Schema: lizsync; Owner: -

ALTER TABLE lizsync.sequence_ranges ALTER COLUMN range_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lizsync.sequence_ranges_range_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: sequences; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.sequences (
    sequence_id integer NOT NULL,
    sequence regclass NOT NULL,
    columns text[] NOT NULL
);

-- Name: TABLE sequences; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.sequences IS 'Sequences of this central of which clones have ranges.';

-- Name: sequences_sequence_id_seq; Type: SEQUENCE; Schema: lizsync; Owner: -

ALTER TABLE lizsync.sequences ALTER COLUMN sequence_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lizsync.sequences_sequence_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: server_metadata; Type: TABLE; Schema: lizsync; Owner: -

CREATE TABLE lizsync.server_metadata (
    only_row boolean DEFAULT true NOT NULL,
    server_id uuid DEFAULT gen_random_uuid() NOT NULL,
    server_name text NOT NULL,
    server_role text NOT NULL,
    system_identifier bigint NOT NULL,
    database_oid oid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    pruned_before xid8,
    pruned_until timestamp with time zone,
    former_incarnations jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT server_metadata_only_row_check CHECK (only_row),
    CONSTRAINT server_metadata_server_role_check CHECK ((server_role = ANY (ARRAY['central'::text, 'clone'::text])))
);

-- Name: TABLE server_metadata; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.server_metadata IS 'Who this server is.';

-- Name: COLUMN server_metadata.former_incarnations; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.server_metadata.former_incarnations IS 'Where this database was before it was moved, by pg_upgrade for example: as lizsync.incarnation() said there.';

-- Name: staged_changes; Type: TABLE; Schema: lizsync; Owner: -

CREATE UNLOGGED TABLE lizsync.staged_changes (
    sync_id uuid DEFAULT (NULLIF(current_setting('lizsync.sync_id'::text, true), ''::text))::uuid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    uid uuid NOT NULL,
    action "char" NOT NULL,
    origin_server_id uuid,
    changed_at timestamp with time zone NOT NULL,
    corrected_at timestamp with time zone,
    new_values public.hstore,
    batch integer DEFAULT 0 NOT NULL,
    event_id bigint
);

-- Name: TABLE staged_changes; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.staged_changes IS 'Net changes that were received and are being applied: for a row one D, or one I and one U for each further writer, or U only.';

-- Name: COLUMN staged_changes.sync_id; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.staged_changes.sync_id IS 'The sync that delivers; COPY leaves it out, the setting lizsync.sync_id of the transaction says it for all rows.';

-- Name: COLUMN staged_changes.origin_server_id; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.staged_changes.origin_server_id IS 'Server where the change was made; null: the sender.';

-- Name: COLUMN staged_changes.corrected_at; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.staged_changes.corrected_at IS 'Time of the change by the clock of the central. null in what was received (batch 0): the same as changed_at; in what this server decided: the change is corrected when it is sent.';

-- Name: COLUMN staged_changes.event_id; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.staged_changes.event_id IS 'The last event of the row in the sender''s log, the same for all parts of a row; deliveries come in this order. null: not from a delivery.';

-- Name: stages; Type: TABLE; Schema: lizsync; Owner: -

CREATE UNLOGGED TABLE lizsync.stages (
    sync_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    from_position pg_snapshot NOT NULL,
    ahead jsonb NOT NULL,
    tables jsonb,
    to_position pg_snapshot NOT NULL,
    complete_below bigint,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

-- Name: TABLE stages; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON TABLE lizsync.stages IS 'Deliveries of which parts are committed in lizsync.staged_changes, but not yet applied. A cache: without it everything is delivered again.';

-- Name: COLUMN stages.sync_id; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.stages.sync_id IS 'The sync that delivered.';

-- Name: COLUMN stages.peer_id; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.stages.peer_id IS 'The sender.';

-- Name: COLUMN stages.from_position; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.stages.from_position IS 'Where the delivery began: what this server has applied of the sender''s log.';

-- Name: COLUMN stages.ahead; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.stages.ahead IS 'Tables of which this server had applied more, as lizsync.ahead_positions says it.';

-- Name: COLUMN stages.tables; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.stages.tables IS 'The tables that were to be synchronised; null: all.';

-- Name: COLUMN stages.to_position; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.stages.to_position IS 'The position of the delivery.';

-- Name: COLUMN stages.complete_below; Type: COMMENT; Schema: lizsync; Owner: -

COMMENT ON COLUMN lizsync.stages.complete_below IS 'Every row whose last event, as of to_position, is below this is staged with all its parts. null: not looked at since the delivery broke off.';

-- Name: logged_actions event_id; Type: DEFAULT; Schema: audit; Owner: -

ALTER TABLE ONLY audit.logged_actions ALTER COLUMN event_id SET DEFAULT nextval('audit.event_id_sequence'::regclass);

-- Name: logged_actions logged_actions_pkey; Type: CONSTRAINT; Schema: audit; Owner: -

ALTER TABLE ONLY audit.logged_actions
    ADD CONSTRAINT logged_actions_pkey PRIMARY KEY (transaction_id, event_id);

-- Name: logged_relations logged_relations_pkey; Type: CONSTRAINT; Schema: audit; Owner: -

ALTER TABLE ONLY audit.logged_relations
    ADD CONSTRAINT logged_relations_pkey PRIMARY KEY (relation_id);

-- Name: logged_relations logged_relations_schema_name_table_name_key; Type: CONSTRAINT; Schema: audit; Owner: -

ALTER TABLE ONLY audit.logged_relations
    ADD CONSTRAINT logged_relations_schema_name_table_name_key UNIQUE (schema_name, table_name);

-- Name: logged_statements logged_statements_pkey; Type: CONSTRAINT; Schema: audit; Owner: -

ALTER TABLE ONLY audit.logged_statements
    ADD CONSTRAINT logged_statements_pkey PRIMARY KEY (statement_id);

-- Name: applied_routines applied_routines_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.applied_routines
    ADD CONSTRAINT applied_routines_pkey PRIMARY KEY (only_row);

-- Name: conflicts conflicts_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.conflicts
    ADD CONSTRAINT conflicts_pkey PRIMARY KEY (conflict_id);

-- Name: deployments deployments_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.deployments
    ADD CONSTRAINT deployments_pkey PRIMARY KEY (clone_id);

-- Name: granted_roles granted_roles_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.granted_roles
    ADD CONSTRAINT granted_roles_pkey PRIMARY KEY (role_name, peer_id);

-- Name: held_changes held_changes_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.held_changes
    ADD CONSTRAINT held_changes_pkey PRIMARY KEY (held_id);

-- Name: held_changes held_changes_schema_name_table_name_uid_peer_id_key; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.held_changes
    ADD CONSTRAINT held_changes_schema_name_table_name_uid_peer_id_key UNIQUE (schema_name, table_name, uid, peer_id);

-- Name: history history_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (peer_id, sync_id);

-- Name: link_relations link_relations_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.link_relations
    ADD CONSTRAINT link_relations_pkey PRIMARY KEY (peer_id, schema_name, table_name);

-- Name: links links_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.links
    ADD CONSTRAINT links_pkey PRIMARY KEY (peer_id);

-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (migration_number);

-- Name: packages packages_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.packages
    ADD CONSTRAINT packages_pkey PRIMARY KEY (package_id);

-- Name: sequence_ranges sequence_ranges_int4range_numrange_excl; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.sequence_ranges
    ADD CONSTRAINT sequence_ranges_int4range_numrange_excl EXCLUDE USING gist (int4range(sequence_id, sequence_id, '[]'::text) WITH &&, numrange((lower_value)::numeric, (upper_value)::numeric, '[]'::text) WITH &&);

-- Name: sequence_ranges sequence_ranges_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.sequence_ranges
    ADD CONSTRAINT sequence_ranges_pkey PRIMARY KEY (range_id);

-- Name: sequences sequences_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.sequences
    ADD CONSTRAINT sequences_pkey PRIMARY KEY (sequence_id);

-- Name: server_metadata server_metadata_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.server_metadata
    ADD CONSTRAINT server_metadata_pkey PRIMARY KEY (only_row);

-- Name: stages stages_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.stages
    ADD CONSTRAINT stages_pkey PRIMARY KEY (sync_id);

-- Name: logged_actions_unlogged; Type: INDEX; Schema: audit; Owner: -

CREATE INDEX logged_actions_unlogged ON audit.logged_actions USING btree (transaction_id) WHERE (unlogged_columns IS NOT NULL);

-- Name: conflicts_sync_id; Type: INDEX; Schema: lizsync; Owner: -

CREATE INDEX conflicts_sync_id ON lizsync.conflicts USING btree (sync_id);

-- Name: held_change_parts_held_id; Type: INDEX; Schema: lizsync; Owner: -

CREATE INDEX held_change_parts_held_id ON lizsync.held_change_parts USING btree (held_id);

-- Name: sequence_ranges_clone_id; Type: INDEX; Schema: lizsync; Owner: -

CREATE INDEX sequence_ranges_clone_id ON lizsync.sequence_ranges USING btree (clone_id, sequence_id);

-- Name: deployments deployments_package_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.deployments
    ADD CONSTRAINT deployments_package_id_fkey FOREIGN KEY (package_id) REFERENCES lizsync.packages(package_id);

-- Name: granted_roles granted_roles_peer_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.granted_roles
    ADD CONSTRAINT granted_roles_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES lizsync.links(peer_id) ON DELETE CASCADE;

-- Name: held_change_parts held_change_parts_held_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.held_change_parts
    ADD CONSTRAINT held_change_parts_held_id_fkey FOREIGN KEY (held_id) REFERENCES lizsync.held_changes(held_id) ON DELETE CASCADE;

-- Name: link_relations link_relations_peer_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.link_relations
    ADD CONSTRAINT link_relations_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES lizsync.links(peer_id) ON DELETE CASCADE;

-- Name: sequence_ranges sequence_ranges_sequence_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -

ALTER TABLE ONLY lizsync.sequence_ranges
    ADD CONSTRAINT sequence_ranges_sequence_id_fkey FOREIGN KEY (sequence_id) REFERENCES lizsync.sequences(sequence_id) ON DELETE CASCADE;

-- Name: PROCEDURE continue_stage(IN p_sync_id uuid); Type: ACL; Schema: lizsync; Owner: -

REVOKE ALL ON PROCEDURE lizsync.continue_stage(IN p_sync_id uuid) FROM PUBLIC;

-- Name: PROCEDURE keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid); Type: ACL; Schema: lizsync; Owner: -

REVOKE ALL ON PROCEDURE lizsync.keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid) FROM PUBLIC;

