-- Gives the building of indexes the memory that it needs not to sort a million rows on disk, when the server gives less.
select set_config('maintenance_work_mem', '256MB', true)
from pg_catalog.pg_settings as s
where s.name = 'maintenance_work_mem' and s.setting::bigint < 256 * 1024
