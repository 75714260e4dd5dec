create or replace function lizsync.incoming_relations(p_batch integer)
returns table (relation regclass, first_row integer, last_row integer)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
    return query
    select r.relation, r.first_row, r.last_row
    from pg_temp.lizsync_incoming_relations as r
    where r.batch = p_batch
    order by r.schema_name, r.table_name;
end
$function$;

comment on function lizsync.incoming_relations(integer) is
    'The tables of a batch of lizsync_incoming, in the order of its rows: those of a table stand together, from first_row to last_row.';
