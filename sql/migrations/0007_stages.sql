-- What a delivery brought before it broke off: the next sync goes on from there.

alter table lizsync.staged_changes add column event_id bigint;
comment on column lizsync.staged_changes.event_id is
    'The last event of the row in the sender''s log, the same for all parts of a row; deliveries come in this order. null: not from a delivery.';

-- Lost in a crash together with lizsync.staged_changes, at no cost but time.
create unlogged table lizsync.stages (
    sync_id uuid primary key,
    peer_id uuid not null,
    from_position pg_snapshot not null,
    ahead jsonb not null,
    tables jsonb,
    to_position pg_snapshot not null,
    complete_below bigint,
    begun_at timestamp with time zone not null default clock_timestamp()
);
comment on table lizsync.stages is
    'Deliveries of which parts are committed in lizsync.staged_changes, but not yet applied. A cache: without it everything is delivered again.';
comment on column lizsync.stages.sync_id is 'The sync that delivered.';
comment on column lizsync.stages.peer_id is 'The sender.';
comment on column lizsync.stages.from_position is 'Where the delivery began: what this server has applied of the sender''s log.';
comment on column lizsync.stages.ahead is 'Tables of which this server had applied more, as lizsync.ahead_positions says it.';
comment on column lizsync.stages.tables is 'The tables that were to be synchronised; null: all.';
comment on column lizsync.stages.to_position is 'The position of the delivery.';
comment on column lizsync.stages.complete_below is
    'Every row whose last event, as of to_position, is below this is staged with all its parts. null: not looked at since the delivery broke off.';
