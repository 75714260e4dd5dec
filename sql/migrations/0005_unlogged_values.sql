-- Values that are too large for the log.

alter table audit.logged_actions add column unlogged_columns text[];
comment on column audit.logged_actions.unlogged_columns is
    'Columns whose values were too large to be logged: null in new_values, not in old_values. Null: everything was logged.';
-- almost always empty: finds what can't be sent
create index logged_actions_unlogged on audit.logged_actions (transaction_id) where unlogged_columns is not null;
