create or replace function lizsync.row_transaction(p_xmin xid)
returns xid8
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    -- a row's xmin has 32 bits; of the transactions it can stand for it is the last one not after the present
    select (now_at.xid - ((now_at.xid - p_xmin::text::bigint) & 4294967295))::text::xid8
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xid) as now_at
$function$;

comment on function lizsync.row_transaction(xid) is 'The transaction that wrote a row, in 64 bits, from the row''s xmin.';
