-- Most syncs find the sequences as the sync before has left them: then there is nothing to do for their ranges.

alter table lizsync.links add column checked_sequences jsonb;
comment on column lizsync.links.checked_sequences is
    'On the central, how far the sequences of the clone and its own were when lizsync.check_ranges found nothing to renew. null: it was not so.';
