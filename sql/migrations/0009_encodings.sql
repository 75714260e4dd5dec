-- Databases may have different encodings. Who sends must know what the other side can write down.

alter table lizsync.links add column peer_encoding name;
comment on column lizsync.links.peer_encoding is 'The encoding of the other server''s database, as it said at the last sync. null: it has not said so yet.';
