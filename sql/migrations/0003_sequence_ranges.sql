-- Ranges of sequences: the numbers that the central has given to clones, so that no two servers draw the same.

create table lizsync.sequences (
    sequence_id integer generated always as identity primary key,
    -- follows when the sequence is renamed
    sequence regclass not null,
    -- which columns it feeds: finds the sequence that took its place when it is dropped
    columns text[] not null
);
comment on table lizsync.sequences is 'Sequences of this central of which clones have ranges.';

create table lizsync.sequence_ranges (
    range_id bigint generated always as identity primary key,
    sequence_id integer not null references lizsync.sequences on delete cascade,
    -- both inclusive; a sequence that counts down begins with the upper one
    lower_value bigint not null,
    upper_value bigint not null check (upper_value >= lower_value),
    -- null: was returned, and may be given again
    clone_id uuid,
    -- the last number that the clone is known to have drawn
    drawn_value bigint check (drawn_value between lower_value and upper_value),
    allotted_at timestamp with time zone not null default clock_timestamp(),
    -- null: the clone is not known to draw from it. It gets the same range until it says that it does.
    confirmed_at timestamp with time zone,
    -- no number is given out twice
    exclude using gist (
        int4range(sequence_id, sequence_id, '[]') with &&,
        numrange(lower_value, upper_value, '[]') with &&
    )
);
create index sequence_ranges_clone_id on lizsync.sequence_ranges (clone_id, sequence_id);
comment on table lizsync.sequence_ranges is
    'Numbers of sequences of this central that clones draw from, or have drawn from. The central itself draws what is not in here.';
