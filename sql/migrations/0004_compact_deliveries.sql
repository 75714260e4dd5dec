-- What a delivery says only where the receiver can't know it: most changes were made by their sender, by its own clock.

alter table lizsync.staged_changes
    alter column sync_id set default nullif(current_setting('lizsync.sync_id', true), '')::uuid,
    alter column origin_server_id drop not null;
comment on column lizsync.staged_changes.sync_id is
    'The sync that delivers; COPY leaves it out, the setting lizsync.sync_id of the transaction says it for all rows.';
comment on column lizsync.staged_changes.origin_server_id is 'Server where the change was made; null: the sender.';
comment on column lizsync.staged_changes.corrected_at is
    'Time of the change by the clock of the central. null in what was received (batch 0): the same as changed_at; in what this '
    'server decided: the change is corrected when it is sent.';
