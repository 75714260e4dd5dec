-- One index of the log instead of two: each one costs every write of an audited table. Events are looked for by their
-- transaction, and within that by their order.

drop index audit.logged_actions_transaction_id;
alter table audit.logged_actions
    drop constraint logged_actions_pkey,
    add primary key (transaction_id, event_id);
