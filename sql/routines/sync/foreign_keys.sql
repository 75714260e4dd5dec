create or replace function lizsync.foreign_keys(p_constraint_oids oid[])
returns table (
    constraint_oid oid,
    constraint_name name,
    child regclass,
    child_schema name,
    child_table name,
    child_relation_id integer,
    child_columns text[],
    parent regclass,
    parent_schema name,
    parent_table name,
    parent_relation_id integer,
    parent_columns text[],
    operators text[],
    on_delete "char",
    on_update "char",
    delete_set_columns text[]
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select
        c.oid, c.conname,
        c.conrelid, cn.nspname, cc.relname, cr.relation_id,
        (select array_agg(a.attname::text order by k.position)
         from unnest(c.conkey) with ordinality as k (attnum, position)
         join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.attnum),
        c.confrelid, pn.nspname, pc.relname, pr.relation_id,
        (select array_agg(a.attname::text order by k.position)
         from unnest(c.confkey) with ordinality as k (attnum, position)
         join pg_attribute as a on a.attrelid = c.confrelid and a.attnum = k.attnum),
        (select array_agg(format('operator(%I.%s)', n.nspname, o.oprname) order by k.position)
         from unnest(c.conpfeqop) with ordinality as k (operator_oid, position)
         join pg_operator as o on o.oid = k.operator_oid
         join pg_namespace as n on n.oid = o.oprnamespace),
        c.confdeltype, c.confupdtype,
        (select array_agg(a.attname::text)
         from jsonb_array_elements_text(nullif(to_jsonb(c) -> 'confdelsetcols', 'null')) as k (attnum)
         join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.attnum::smallint)
    from pg_constraint as c
    join pg_class as cc on cc.oid = c.conrelid
    join pg_namespace as cn on cn.oid = cc.relnamespace
    join pg_class as pc on pc.oid = c.confrelid
    join pg_namespace as pn on pn.oid = pc.relnamespace
    left join audit.logged_relations as cr on cr.schema_name = cn.nspname and cr.table_name = cc.relname
    left join audit.logged_relations as pr on pr.schema_name = pn.nspname and pr.table_name = pc.relname
    where c.oid = any (p_constraint_oids)
$function$;

comment on function lizsync.foreign_keys(oid[]) is
    'What foreign keys are; relation ids are null for tables that are not audited, delete_set_columns where ON '
    'DELETE SET NULL (columns) does not name any (before PostgreSQL 15 it can''t).';
