-- Notes a deployment at the central; returns the ranges of sequences that the clone gets.
select lizsync.register_clone($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)::text as ranges
