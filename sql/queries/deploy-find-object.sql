-- Oid of an object of the kind $1 (type or collation) with the name $2, quoted as SQL needs it; null: there is none.
select case $1::text
    when 'type' then to_regtype($2::text)::oid
    when 'collation' then to_regcollation($2::text)::oid
end as oid
