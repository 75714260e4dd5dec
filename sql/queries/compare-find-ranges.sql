-- Ranges in which the columns $3 of the table $1.$2 differ from starts $4, row counts $5 and checksums $6 of the other side.
select range_start, range_end, row_count
from lizsync.find_differing_ranges($1::text, $2::text, $3::text[], $4::uuid[], $5::bigint[], $6::numeric[])
