-- Tables of a link that were synchronised without the others, and databases that were moved to another server.

alter table lizsync.link_relations add column position pg_snapshot;
comment on column lizsync.link_relations.position is
    'How far the peer''s log has been applied here for this table, where that is further than the link; null: as far as the link.';

alter table lizsync.server_metadata add column former_incarnations jsonb not null default '[]';
comment on column lizsync.server_metadata.former_incarnations is
    'Where this database was before it was moved, by pg_upgrade for example: as lizsync.incarnation() said there.';
