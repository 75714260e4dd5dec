-- Tables of a link that were synchronised without the others.

alter table lizsync.link_relations add column position pg_snapshot;
comment on column lizsync.link_relations.position is
    'How far the peer''s log has been applied here for this table, where that is further than the link; null: as far as the link.';
