-- Oid of an object of the kind $1 with the name $2, quoted as SQL needs it; null or an error: there is none.
select case $1::text
    when 'type' then to_regtype($2::text)::oid
    when 'collation' then to_regcollation($2::text)::oid
    when 'text search dictionary' then $2::text::regdictionary::oid
    when 'text search configuration' then $2::text::regconfig::oid
    when 'function' then to_regprocedure($2::text)::oid
    when 'sequence' then to_regclass($2::text)::oid
    when 'view' then to_regclass($2::text)::oid
    when 'materialized view' then to_regclass($2::text)::oid
end as oid
