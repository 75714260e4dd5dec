-- Gives sequences the state that they had in the central: $1 schemas, $2 names, $3 last values, $4 whether those were used.
select setval(format('%I.%I', s.schema_name, s.sequence_name)::regclass, s.last_value, s.is_called)
from unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[]) as s (schema_name, sequence_name, last_value, is_called)
