-- Gives sequences the state that they had in the central: $1 schemas, $2 names, $3 last values, $4 whether those were used.
-- Those that are bound to a range of the clone are left out.
select setval(q.seqrelid, s.last_value, s.is_called)
from unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[]) as s (schema_name, sequence_name, last_value, is_called)
join pg_catalog.pg_sequence as q on q.seqrelid = format('%I.%I', s.schema_name, s.sequence_name)::regclass
where s.last_value between q.seqmin and q.seqmax
