-- Columns of the tables $1 that have values of their own: all but generated ones. needs_value: a row can't be loaded
-- without a value for it.
select
    a.attrelid as oid,
    a.attname as name,
    a.attnotnull and not a.atthasdef and a.attidentity = '' and ty.typdefault is null as needs_value
from pg_catalog.pg_attribute as a
join pg_catalog.pg_type as ty on ty.oid = a.atttypid
where a.attrelid = any ($1::oid[])
  and a.attnum > 0
  and not a.attisdropped
  and a.attgenerated = ''
order by a.attrelid, a.attnum
