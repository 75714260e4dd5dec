create or replace aggregate lizsync.merge_values(@extschema:hstore@.hstore) (
    sfunc = @extschema:hstore@.hs_concat,
    stype = @extschema:hstore@.hstore
);

comment on aggregate lizsync.merge_values(@extschema:hstore@.hstore) is
    'All pairs of the values; where a key occurs several times the last one counts.';
