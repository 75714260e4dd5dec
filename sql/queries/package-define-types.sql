-- Statements that create the types $1: enums, domains, composite types and ranges. Null: of a kind that can't be carried.
select
    'pg_type' as catalog,
    t.oid as oid,
    case t.typtype
        when 'e' then
            format('create type %I.%I as enum (%s);', n.nspname, t.typname,
                (
                    select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
                    from pg_catalog.pg_enum as e
                    where e.enumtypid = t.oid
                ))
        when 'd' then
            format('create domain %I.%I as %s%s%s%s%s;', n.nspname, t.typname,
                format_type(t.typbasetype, t.typtypmod),
                case
                    when t.typcollation <> 0 and t.typcollation <> base.typcollation then
                        (
                            select format(' collate %I.%I', cn.nspname, co.collname)
                            from pg_catalog.pg_collation as co
                            join pg_catalog.pg_namespace as cn on cn.oid = co.collnamespace
                            where co.oid = t.typcollation
                        )
                end,
                coalesce(' default ' || pg_get_expr(t.typdefaultbin, 0), ' default ' || quote_literal(t.typdefault)),
                case when t.typnotnull then
                    coalesce(
                        (
                            select format(' constraint %I not null', c.conname)
                            from pg_catalog.pg_constraint as c
                            where c.contypid = t.oid and c.contype = 'n'
                        ),
                        ' not null'
                    )
                end,
                (
                    select string_agg(
                        format(E'\n    constraint %I %s', c.conname, pg_get_constraintdef(c.oid)), '' order by c.conname
                    )
                    from pg_catalog.pg_constraint as c
                    where c.contypid = t.oid and c.contype = 'c' and c.convalidated
                ))
            || coalesce(
                (
                    select string_agg(
                        format(E'\nalter domain %I.%I add constraint %I %s;', n.nspname, t.typname, c.conname,
                            pg_get_constraintdef(c.oid)),
                        '' order by c.conname
                    )
                    from pg_catalog.pg_constraint as c
                    where c.contypid = t.oid and c.contype = 'c' and not c.convalidated
                ),
                ''
            )
        when 'c' then
            -- a table's row type comes with the table
            case when exists (select from pg_catalog.pg_class as c where c.oid = t.typrelid and c.relkind = 'c') then
            format('create type %I.%I as (%s);', n.nspname, t.typname,
                (
                    select string_agg(
                        format(E'\n    %I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                            case when a.attcollation <> 0 and a.attcollation <> at.typcollation then
                                (
                                    select format(' collate %I.%I', cn.nspname, co.collname)
                                    from pg_catalog.pg_collation as co
                                    join pg_catalog.pg_namespace as cn on cn.oid = co.collnamespace
                                    where co.oid = a.attcollation
                                )
                            end),
                        ',' order by a.attnum
                    )
                    from pg_catalog.pg_attribute as a
                    join pg_catalog.pg_type as at on at.oid = a.atttypid
                    where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
                ))
            end
        when 'r' then
            (
                select case when r.rngcanonical = 0 then
                    format(E'create type %I.%I as range (\n    subtype = %s%s%s%s,\n    multirange_type_name = %I.%I\n);',
                        n.nspname, t.typname, format_type(r.rngsubtype, null),
                        (
                            select format(E',\n    subtype_opclass = %I.%I', opn.nspname, opc.opcname)
                            from pg_catalog.pg_opclass as opc
                            join pg_catalog.pg_namespace as opn on opn.oid = opc.opcnamespace
                            where opc.oid = r.rngsubopc and not opc.opcdefault
                        ),
                        (
                            select format(E',\n    collation = %I.%I', cn.nspname, co.collname)
                            from pg_catalog.pg_collation as co
                            join pg_catalog.pg_namespace as cn on cn.oid = co.collnamespace
                            where co.oid = r.rngcollation and r.rngcollation <> subtype.typcollation
                        ),
                        case when r.rngsubdiff <> 0 then
                            (
                                select format(E',\n    subtype_diff = %I.%I', fn.nspname, f.proname)
                                from pg_catalog.pg_proc as f
                                join pg_catalog.pg_namespace as fn on fn.oid = f.pronamespace
                                where f.oid = r.rngsubdiff
                            )
                        end,
                        mn.nspname, m.typname)
                end
                from pg_catalog.pg_range as r
                join pg_catalog.pg_type as subtype on subtype.oid = r.rngsubtype
                join pg_catalog.pg_type as m on m.oid = r.rngmultitypid
                join pg_catalog.pg_namespace as mn on mn.oid = m.typnamespace
                where r.rngtypid = t.oid
            )
    end as statement
from pg_catalog.pg_type as t
join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
left join pg_catalog.pg_type as base on base.oid = t.typbasetype
where t.oid = any ($1::oid[])
