-- Whether the roles $1, quoted as SQL needs it, exist.
select role, to_regrole(role) is not null as exists
from unnest($1::text[]) as role
