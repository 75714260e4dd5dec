--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: audit; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA audit;


--
-- Name: SCHEMA audit; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA audit IS 'lizsync: every insert, update and delete on the audited tables';


--
-- Name: lizsync; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA lizsync;


--
-- Name: SCHEMA lizsync; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA lizsync IS 'lizsync: servers, links, synchronisation, history';


--
-- Name: survey; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA survey;


--
-- Name: dblink; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS dblink WITH SCHEMA public;


--
-- Name: EXTENSION dblink; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION dblink IS 'connect to other PostgreSQL databases from within a database';


--
-- Name: hstore; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;


--
-- Name: EXTENSION hstore; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION hstore IS 'data type for storing sets of (key, value) pairs';


--
-- Name: disable_relation(text, text); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.disable_relation(p_schema_name text, p_table_name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_trigger record;
begin
    for v_trigger in
        select t.tgrelid::regclass as table_oid, t.tgname
        from pg_trigger as t
        where t.tgparentid = 0
          and t.tgname in ('lizsync_audit_mark', 'lizsync_audit_insert', 'lizsync_audit_update', 'lizsync_audit_delete',
                           'lizsync_audit_truncate', 'lizsync_audit_partition', 'lizsync_audit_uid', 'lizsync_audit_range')
          and t.tgrelid in (
              select format('%I.%I', p_schema_name, p_table_name)::regclass
              union
              select p.relid from pg_partition_tree(format('%I.%I', p_schema_name, p_table_name)::regclass) as p
          )
    loop
        execute format('drop trigger %I on %s', v_trigger.tgname, v_trigger.table_oid);
    end loop;
    delete from audit.logged_relations as r
    where r.schema_name = p_schema_name and r.table_name = p_table_name;
end
$$;


--
-- Name: FUNCTION disable_relation(p_schema_name text, p_table_name text); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.disable_relation(p_schema_name text, p_table_name text) IS 'Ends the audit of a table and its partitions. What was logged stays in the log.';


--
-- Name: drop_doubled_events(integer, text, bigint, bigint); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.drop_doubled_events(p_relation_id integer, p_operation text, p_statement_id bigint, p_after_event_id bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $_$
-- Rows in partitions without statement triggers were logged by audit.log_partition_row, each with all that it changed, just
-- before. An update through the root that moves a row from such a partition to another one left only its deletion there:
-- the row was inserted elsewhere, and is logged as such.
declare
    v_dropped bigint;
    v_doubled bigint[];
    v_moved uuid[];
begin
    with own as materialized (
        select a.event_id, a.uid
        from audit.logged_actions as a
        where a.event_id > p_after_event_id
          and a.transaction_id = pg_current_xact_id()
          and a.statement_id = p_statement_id
    ), last_of_others as materialized (
        select distinct on (a.uid) a.uid, a.action, a.statement_id
        from audit.logged_actions as a
        where a.event_id > p_after_event_id
          and a.transaction_id = pg_current_xact_id()
          and a.relation_id = p_relation_id
          and a.statement_id <> p_statement_id
          and a.uid in (select o.uid from own as o)
        order by a.uid, a.event_id desc
    )
    select
        array_agg(o.event_id) filter (where (l.action = 'D') = (p_operation = 'DELETE')),
        array_agg(o.uid) filter (where l.action = 'D' and p_operation = 'UPDATE')
    into v_doubled, v_moved
    from last_of_others as l
    join own as o on o.uid = l.uid
    where l.statement_id < 0;

    delete from audit.logged_actions as a where a.transaction_id = pg_current_xact_id() and a.event_id = any (v_doubled);
    get diagnostics v_dropped = row_count;

    if v_moved is not null then
        execute format(
            'update audit.logged_actions as a
             set action = ''I'', old_values = null, new_values = "public".hstore(t.*) operator("public".-) $1
             from %s as t
             where t.uid = a.uid and a.uid = any ($2)
               and a.transaction_id = pg_current_xact_id() and a.event_id > $3 and a.statement_id = $4',
            (select format('%I.%I', r.schema_name, r.table_name)::regclass
             from audit.logged_relations as r
             where r.relation_id = p_relation_id))
        using
            (
                select array_agg(g.attname::text)
                from audit.logged_relations as r
                join pg_attribute as g on g.attrelid = format('%I.%I', r.schema_name, r.table_name)::regclass
                where r.relation_id = p_relation_id
                  and (g.attname = 'uid' or g.attgenerated <> '' or g.attname = any (r.excluded_columns))
            ),
            v_moved, p_after_event_id, p_statement_id;
    end if;
    return v_dropped;
end
$_$;


--
-- Name: FUNCTION drop_doubled_events(p_relation_id integer, p_operation text, p_statement_id bigint, p_after_event_id bigint); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.drop_doubled_events(p_relation_id integer, p_operation text, p_statement_id bigint, p_after_event_id bigint) IS 'Takes back events of a statement for rows that audit.log_partition_row has logged; returns how many.';


--
-- Name: enable_relation(text, text, text[]); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.enable_relation(p_schema_name text, p_table_name text, p_excluded_columns text[] DEFAULT '{}'::text[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The caller has checked that the table has a proper uid and may be audited (lizsync.plan_preparation).
declare
    v_relation_id integer;
    v_table record;
begin
    insert into audit.logged_relations as r (schema_name, table_name, excluded_columns)
    values (p_schema_name, p_table_name, p_excluded_columns)
    on conflict (schema_name, table_name) do update set excluded_columns = excluded.excluded_columns
    returning r.relation_id into v_relation_id;

    for v_table in
        select t.relid as table_oid
        from pg_class as root
        cross join lateral (
            select root.oid::regclass as relid, 0 as level where root.relkind <> 'p'
            union all
            select p.relid, p.level from pg_partition_tree(root.oid) as p where root.relkind = 'p'
        ) as t
        where root.oid = format('%I.%I', p_schema_name, p_table_name)::regclass
        -- the root first: its row triggers are made on each partition, which then turns them off
        order by t.level, t.relid
    loop
        perform audit.enable_table(v_table.table_oid, v_relation_id);
    end loop;
    return v_relation_id;
end
$$;


--
-- Name: FUNCTION enable_relation(p_schema_name text, p_table_name text, p_excluded_columns text[]); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.enable_relation(p_schema_name text, p_table_name text, p_excluded_columns text[]) IS 'Starts, or brings up to date, the audit of a table and its partitions; returns its relation_id. Idempotent.';


--
-- Name: enable_table(regclass, integer); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.enable_table(p_table regclass, p_relation_id integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- Statement triggers fire for the table that the statement names: the root of a partitioned table or a partition. A
-- partition that is created or attached later has none of its own. Until it is adopted (lizsync.adopt_partitions), the row
-- trigger logs it, which PostgreSQL makes on each partition of the root; here, where there are statement triggers, it is off.
declare
    v_is_partition boolean;
    v_is_root boolean;
    v_unlogged_columns text[];
    v_trigger record;
begin
    select c.relispartition, c.relkind = 'p' and not c.relispartition into v_is_partition, v_is_root
    from pg_class as c
    where c.oid = p_table;

    select array_agg(a.attname::text order by a.attname) into v_unlogged_columns
    from audit.logged_relations as r
    join pg_attribute as a on a.attrelid = p_table
    where r.relation_id = p_relation_id
      and a.attnum > 0
      and not a.attisdropped
      and (a.attname = 'uid' or a.attgenerated <> '' or a.attname = any (r.excluded_columns));

    for v_trigger in
        select *
        from (values
            ('lizsync_audit_mark', 'before insert or update or delete on %s for each statement',
                'audit.mark_statement()', true),
            ('lizsync_audit_insert', 'after insert on %s referencing new table as new_rows for each statement',
                'audit.log_statement(%s, %L, %L)', true),
            ('lizsync_audit_update',
                'after update on %s referencing old table as old_rows new table as new_rows for each statement',
                'audit.log_statement(%s, %L, %L)', true),
            ('lizsync_audit_delete', 'after delete on %s referencing old table as old_rows for each statement',
                'audit.log_statement(%s, %L, %L)', true),
            ('lizsync_audit_truncate', 'before truncate on %s for each statement',
                'audit.log_truncate(%s, %L, %L)', true),
            ('lizsync_audit_partition', 'after insert or update or delete on %s for each row',
                'audit.log_partition_row(%s, %L)', v_is_root),
            ('lizsync_audit_uid', 'after update on %s for each row when (old.uid is distinct from new.uid)',
                'audit.refuse_uid_change()', not v_is_partition)
        ) as wanted (trigger_name, event, function_call, wanted_here)
        where wanted.wanted_here
    loop
        execute format(
            'create or replace trigger %I %s execute function %s',
            v_trigger.trigger_name,
            format(v_trigger.event, p_table),
            format(v_trigger.function_call, p_relation_id, v_unlogged_columns,
                   case when v_is_partition then 'partition' else '' end)
        );
        execute format('alter table %s enable always trigger %I', p_table, v_trigger.trigger_name);
    end loop;

    perform lizsync.guard_range(p_table, v_unlogged_columns);

    -- not on partitions that have partitions themselves, where it never fires: those get theirs from it, on or off
    if v_is_partition and exists (
        select from pg_trigger as t
        join pg_class as c on c.oid = t.tgrelid and c.relkind = 'r'
        where t.tgrelid = p_table and t.tgname = 'lizsync_audit_partition' and t.tgenabled <> 'D'
    ) then
        execute format('alter table %s disable trigger lizsync_audit_partition', p_table);
    end if;
end
$$;


--
-- Name: FUNCTION enable_table(p_table regclass, p_relation_id integer); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.enable_table(p_table regclass, p_relation_id integer) IS 'Makes the audit triggers of one table: of an audited one, or of a partition that logs under the name of its root.';


--
-- Name: fitting_columns(text[], bigint[]); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.fitting_columns(p_columns text[], p_sizes bigint[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- hstore is written out in memory of twice the size, and PostgreSQL allows 1 GB of that
    select coalesce(array_agg(s.column_name), '{}')
    from (
        select
            c.column_name,
            sum(c.size::numeric + octet_length(c.column_name) + 8) over (order by c.size, c.column_name rows unbounded preceding) as total
        from unnest(p_columns, p_sizes) as c (column_name, size)
        where c.size is not null
    ) as s
    where s.total <= 500000000
$$;


--
-- Name: FUNCTION fitting_columns(p_columns text[], p_sizes bigint[]); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.fitting_columns(p_columns text[], p_sizes bigint[]) IS 'Columns whose values can be logged together, the smallest first; sizes in bytes of text, columns of size null are left out.';


--
-- Name: is_new_partition(regclass); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.is_new_partition(p_partition regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select not exists (
               select from pg_trigger as t
               where t.tgrelid = p_partition and t.tgname = 'lizsync_audit_insert' and t.tgparentid = 0
           )
           or exists (
               select from pg_trigger as t
               join pg_class as c on c.oid = t.tgrelid and c.relkind = 'r'
               where t.tgrelid = p_partition and t.tgname = 'lizsync_audit_partition' and t.tgenabled <> 'D'
           )
$$;


--
-- Name: FUNCTION is_new_partition(p_partition regclass); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.is_new_partition(p_partition regclass) IS 'Whether a partition was created or attached, perhaps again, since its root got its audit triggers.';


--
-- Name: large_rows_query(regclass, text[], text, text); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.large_rows_query(p_table regclass, p_unlogged_columns text[], p_old text, p_new text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- Values are touched one at a time, never as a whole row: a row may hold more than PostgreSQL allows in one piece. A column
-- whose old and new image are equal has not changed, however large it is. concat() writes values as hstore does, by the
-- output function of their type; a cast to text differs for some. Where the size of the text shows without it, none is made.
declare
    v_columns text;
    v_changed text;
    v_old_sizes text;
    v_new_sizes text;
    v_old_values text;
    v_new_values text;
    v_size text;
    v_value constant text := 'case when num_nulls(%1$s.%2$I) = 0 and %2$L = any (%1$s_fitting.columns) then concat(%1$s.%2$I) end';
    v_column record;
begin
    for v_column in
        select a.attname, a.atttypid
        from pg_attribute as a
        where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attname <> all (p_unlogged_columns)
        order by a.attnum
    loop
        v_size := 'case when %2$L = any (changed.columns) then coalesce(' || case v_column.atttypid
            when 'bytea'::regtype then '2 + 2 * octet_length(%1$s.%2$I)::bigint'
            when 'text'::regtype then 'octet_length(%1$s.%2$I)'
            when 'varbit'::regtype then 'length(%1$s.%2$I)'
            else 'audit.text_size(%1$s.%2$I)'
        end || ', 0) end';
        v_columns := concat_ws(', ', v_columns, quote_literal(v_column.attname));
        v_changed := concat_ws(', ', v_changed, format(
            'case when record_image_ne(row(o.%1$I), row(n.%1$I)) then %1$L end', v_column.attname));
        v_old_sizes := concat_ws(', ', v_old_sizes, format(v_size, 'o', v_column.attname));
        v_new_sizes := concat_ws(', ', v_new_sizes, format(v_size, 'n', v_column.attname));
        v_old_values := concat_ws(', ', v_old_values, format(v_value, 'o', v_column.attname));
        v_new_values := concat_ws(', ', v_new_values, format(v_value, 'n', v_column.attname));
    end loop;

    if p_old is null or p_new is null then
        return format($sql$
            select
                %1$s.uid, logged.row_values,
                nullif(array(select unnest(changed.columns) except select unnest(%1$s_fitting.columns)), '{}') as unlogged_columns
            from %2$s as %1$s
            cross join (select array[%3$s]::text[] as columns) as changed
            cross join lateral (
                select audit.fitting_columns(changed.columns, array[%4$s]::bigint[]) as columns offset 0
            ) as %1$s_fitting
            cross join lateral (
                select %5$s as row_values offset 0
            ) as logged$sql$,
            case when p_old is null then 'n' else 'o' end,
            coalesce(p_old, p_new),
            v_columns,
            case when p_old is null then v_new_sizes else v_old_sizes end,
            case when p_old is null
                then format('"public".hstore(changed.columns, array[%s]::text[])', v_new_values)
                else format('"public".slice("public".hstore(changed.columns, array[%s]::text[]), o_fitting.columns)', v_old_values)
            end);
    end if;

    return format($sql$
        select
            written.uid, "public".slice(written.old_values, "public".akeys(written.new_values)) as old_values,
            written.new_values, nullif(written.unlogged_columns, '{}') as unlogged_columns
        from (
            select
                n.uid, unlogged.columns as unlogged_columns,
                "public".slice(before.row_values, o_fitting.columns) as old_values,
                -- another image may be the same text
                "public".slice(after.row_values, n_fitting.columns) operator("public".-)
                    "public".slice(before.row_values, o_fitting.columns) operator("public".||) "public".slice(after.row_values, unlogged.columns) as new_values
            from %1$s as o
            join %2$s as n on n.uid = o.uid
            cross join lateral (select array_remove(array[%3$s]::text[], null) as columns offset 0) as changed
            cross join lateral (
                select audit.fitting_columns(array[%4$s]::text[], array[%5$s]::bigint[]) as columns offset 0
            ) as o_fitting
            cross join lateral (
                select audit.fitting_columns(array[%4$s]::text[], array[%6$s]::bigint[]) as columns offset 0
            ) as n_fitting
            cross join lateral (
                select array(select unnest(changed.columns) except select unnest(n_fitting.columns)) as columns offset 0
            ) as unlogged
            cross join lateral (
                select "public".hstore(array[%4$s]::text[], array[%7$s]::text[]) as row_values offset 0
            ) as before
            cross join lateral (
                select "public".hstore(array[%4$s]::text[], array[%8$s]::text[]) as row_values offset 0
            ) as after
            offset 0
        ) as written
        where written.new_values operator("public".<>) ''$sql$,
        p_old, p_new, v_changed, v_columns, v_old_sizes, v_new_sizes, v_old_values, v_new_values);
end
$_$;


--
-- Name: FUNCTION large_rows_query(p_table regclass, p_unlogged_columns text[], p_old text, p_new text); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.large_rows_query(p_table regclass, p_unlogged_columns text[], p_old text, p_new text) IS 'Query for what to log of rows that may be too large: uid, values (old and new ones when there are both) and unlogged_columns. p_old and p_new are items of a from clause with the columns of p_table; one may be null. A column that is too large is null among new values, none of the old ones.';


--
-- Name: log_partition_row(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.log_partition_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET row_security TO 'off'
    AS $_$
-- Arguments of the trigger as for audit.log_statement. It fires on partitions without statement triggers, whichever table
-- the statement named. If that was the root (or another table that has them), audit.log_statement sees the rows too: it
-- leaves those alone that are logged here already, which it tells by the negative ids of their statements.
-- Triggers of users that come before this one may have changed the row again, and that is logged already. So what is
-- logged here is the row as it is now, or nothing if it is gone.
declare
    v_relation_id constant integer := tg_argv[0];
    v_unlogged_columns constant text[] := tg_argv[1];
    v_changed_at constant timestamp with time zone := clock_timestamp();
    v_query constant text := left(current_query(), 10000);
    v_setting constant text := current_setting('lizsync_audit.partition_statement', true);
    v_statement_id bigint;
    v_old "public".hstore;
    v_new "public".hstore;
    v_columns text[];
    v_is_large boolean;
    v_too_large_columns text[];
    v_uid uuid;
    v_is_current boolean;
begin
    if current_setting('session_replication_role') = 'replica' and pg_trigger_depth() = 1 then
        return null;
    end if;

    -- as in audit.log_statement
    v_is_large := greatest(pg_column_size(old), pg_column_size(new)) > 100000;
    if not v_is_large then
        if tg_op <> 'INSERT' then
            v_old := "public".hstore(old) operator("public".-) v_unlogged_columns;
        end if;
        if tg_op <> 'DELETE' then
            v_new := "public".hstore(new) operator("public".-) v_unlogged_columns;
        end if;
    elsif tg_op = 'INSERT' then
        execute audit.large_rows_query(tg_relid, v_unlogged_columns, null, '(select ($1).*)')
        into v_uid, v_new, v_too_large_columns
        using new;
    elsif tg_op = 'DELETE' then
        execute audit.large_rows_query(tg_relid, v_unlogged_columns, '(select ($1).*)', null)
        into v_uid, v_old, v_too_large_columns
        using old;
    else
        execute audit.large_rows_query(tg_relid, v_unlogged_columns, '(select ($1).*)', '(select ($2).*)')
        into v_uid, v_old, v_new, v_too_large_columns
        using old, new;
    end if;

    if tg_op <> 'DELETE' then
        v_columns := case when v_is_large then "public".akeys(v_new)
                          else "public".akeys(v_new operator("public".-) coalesce(v_old, '')) end;
        -- null: of a large row nothing has changed
        if coalesce(v_columns, '{}') = '{}' then
            return null;
        end if;
        execute format('select exists (select from only %s as t where t.ctid = $1)', tg_relid::regclass)
        into v_is_current
        using new.ctid;
        if not v_is_current then
            if v_is_large then
                execute audit.large_rows_query(
                    tg_relid, v_unlogged_columns, null,
                    format('(select * from %s where uid = %L)', pg_partition_root(tg_relid), new.uid))
                into v_uid, v_new, v_too_large_columns;
                v_too_large_columns := nullif(array(select unnest(v_too_large_columns) intersect select unnest(v_columns)), '{}');
            else
                execute format('select "public".hstore(t.*) operator("public".-) $2 from %s as t where t.uid = $1',
                               pg_partition_root(tg_relid))
                into v_new
                using new.uid, v_unlogged_columns;
            end if;
            if v_new is null then
                return null;
            end if;
        end if;
    end if;

    -- one row in the log of statements for what one query of the client does
    if v_setting ~ '^-[0-9]{1,18}$' then
        select s.statement_id into v_statement_id
        from audit.logged_statements as s
        where s.statement_id = v_setting::bigint
          and s.transaction_id = pg_current_xact_id()
          and s.client_query is not distinct from v_query;
    end if;
    if v_statement_id is null then
        v_statement_id := - nextval('audit.logged_statements_statement_id_seq');
        insert into audit.logged_statements (
            statement_id, transaction_id, logged_at, session_user_name, application_name, client_address, client_query
        )
        overriding system value
        values (
            v_statement_id, pg_current_xact_id(), v_changed_at, session_user, current_setting('application_name'),
            inet_client_addr(), v_query
        );
        perform set_config('lizsync_audit.partition_statement', v_statement_id::text, true);
    end if;

    insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values, new_values, unlogged_columns)
    values (
        v_statement_id, v_changed_at, v_relation_id, left(tg_op, 1)::"char",
        case tg_op when 'DELETE' then old.uid else new.uid end,
        case tg_op when 'UPDATE' then "public".slice(v_old, v_columns) else v_old end,
        case tg_op when 'UPDATE' then "public".slice(v_new, v_columns) else v_new end,
        v_too_large_columns
    );
    perform set_config('lizsync_audit.last_event', currval('audit.event_id_sequence')::text, true);
    return null;
end
$_$;


--
-- Name: FUNCTION log_partition_row(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.log_partition_row() IS 'Trigger after each row of partitions that were added later and have no statement triggers yet: logs the change.';


--
-- Name: log_statement(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.log_statement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET enable_nestloop TO 'off'
    SET enable_mergejoin TO 'off'
    SET work_mem TO '64MB'
    AS $_$
-- Arguments of the trigger: relation_id, the columns that are not logged as values (uid, generated, excluded), and
-- "partition" where it is on a partition: once that is detached it is a table of its own, which nobody synchronises.
declare
    v_relation_id constant integer := tg_argv[0];
    v_unlogged_columns constant text[] := tg_argv[1];
    v_setting constant text := format('lizsync_audit.mark_%s_%s', tg_relid, tg_op);
    v_marks constant text := current_setting(v_setting, true);
    v_mark text := '';
    v_logged_before bigint := 0;
    v_changed_at constant timestamp with time zone := clock_timestamp();
    v_is_large boolean;
    v_statement_id bigint;
    v_logged bigint;
    v_set text;
begin
    if v_marks <> '' then
        v_mark := split_part(v_marks, ',', 1);
        -- a mark that is no number was not written by us: then everything the transaction logged is looked at
        if v_mark ~ '^[0-9]{1,18}$' then
            v_logged_before := v_mark;
        end if;
        v_set := set_config(v_setting, substr(v_marks, length(v_mark) + 2), true);
    end if;

    -- what synchronisation applies is logged by lizsync.apply_changes, which knows its origin; what triggers change
    -- on that occasion (at a greater depth) is an ordinary change of this server
    if current_setting('session_replication_role') = 'replica' and pg_trigger_depth() = 1 then
        return null;
    end if;
    if tg_argv[2] = 'partition' then
        if not (select c.relispartition from pg_class as c where c.oid = tg_relid) then
            return null;
        end if;
    end if;

    -- sizes as stored, compressed perhaps: text may be a thousand times as long. The block writes nothing, so that it takes
    -- no transaction id.
    begin
        if tg_op = 'INSERT' then
            v_is_large := exists (select from new_rows as n where pg_column_size(n.*) > 100000);
        elsif tg_op = 'DELETE' then
            v_is_large := exists (select from old_rows as o where pg_column_size(o.*) > 100000);
        else
            v_is_large := exists (
                select from old_rows as o where pg_column_size(o.*) > 100000
                union all
                select from new_rows as n where pg_column_size(n.*) > 100000
            );
        end if;
    exception
        -- more than PostgreSQL allows in one piece
        when program_limit_exceeded or out_of_memory or internal_error then
            v_is_large := true;
    end;

    v_statement_id := nextval('audit.logged_statements_statement_id_seq');

    if v_is_large then
        execute format(
            'insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, %s, unlogged_columns)
             select $1, $2, $3, $4, r.* from (%s) as r',
            case tg_op when 'INSERT' then 'new_values' when 'DELETE' then 'old_values' else 'old_values, new_values' end,
            audit.large_rows_query(
                tg_relid, v_unlogged_columns,
                case when tg_op <> 'INSERT' then 'old_rows' end, case when tg_op <> 'DELETE' then 'new_rows' end))
        using v_statement_id, v_changed_at, v_relation_id, left(tg_op, 1)::"char";
    elsif tg_op = 'INSERT' then
        insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, new_values)
        select
            v_statement_id, v_changed_at, v_relation_id, 'I', n.uid,
            "public".hstore(n.*) operator("public".-) v_unlogged_columns
        from new_rows n;
    elsif tg_op = 'DELETE' then
        insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values)
        select
            v_statement_id, v_changed_at, v_relation_id, 'D', o.uid,
            "public".hstore(o.*) operator("public".-) v_unlogged_columns
        from old_rows o;
    else
        insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values, new_values)
        select
            v_statement_id, v_changed_at, v_relation_id, 'U', changed.uid,
            "public".slice(changed.old_values, "public".akeys(changed.new_values)),
            changed.new_values
        from (
            select
                rows.uid, rows.old_values,
                rows.new_values operator("public".-) rows.old_values operator("public".-) v_unlogged_columns as new_values
            from (
                select o.uid, "public".hstore(o.*) as old_values, "public".hstore(n.*) as new_values
                from old_rows o
                join new_rows n on n.uid = o.uid
                offset 0
            ) as rows
            offset 0
        ) as changed
        where changed.new_values operator("public".<>) '';
    end if;
    get diagnostics v_logged = row_count;

    if v_logged > 0 and current_setting('lizsync_audit.partition_statement', true) <> '' then
        v_logged := v_logged - audit.drop_doubled_events(v_relation_id, tg_op, v_statement_id, v_logged_before);
    end if;
    if v_logged = 0 then
        return null;
    end if;

    insert into audit.logged_statements (
        statement_id, transaction_id, logged_at, session_user_name, application_name, client_address, client_query
    )
    overriding system value
    values (
        v_statement_id, pg_current_xact_id(), v_changed_at, session_user, current_setting('application_name'),
        inet_client_addr(), left(current_query(), 10000)
    );

    if v_mark is distinct from coalesce(current_setting('lizsync_audit.last_event', true), '') then
        perform audit.order_nested_events(
            tg_relid, v_relation_id, left(tg_op, 1)::"char", v_statement_id,
            v_logged_before
        );
    end if;
    v_set := set_config('lizsync_audit.last_event', currval('audit.event_id_sequence')::text, true);
    return null;
end
$_$;


--
-- Name: FUNCTION log_statement(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.log_statement() IS 'Trigger after each statement on an audited table: logs one event for each row that the statement changed.';


--
-- Name: log_truncate(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.log_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET row_security TO 'off'
    AS $_$
-- Arguments of the trigger as for audit.log_statement. The trigger runs before the rows are gone and under the exclusive
-- lock that TRUNCATE has taken; TRUNCATE of a partitioned table runs it for the root and for each partition that has it.
-- For those that were added later and have it not, the nearest table above them that has it does their work.
declare
    v_statement_id bigint;
    v_table regclass;
    v_logged bigint := 0;
    v_logged_here bigint;
    v_is_large boolean;
begin
    if current_setting('session_replication_role') = 'replica' and pg_trigger_depth() = 1 then
        return null;
    end if;
    if tg_argv[2] = 'partition' and not (select c.relispartition from pg_class as c where c.oid = tg_relid) then
        return null;
    end if;

    v_statement_id := nextval('audit.logged_statements_statement_id_seq');

    for v_table in
        select tg_relid::regclass
        union all
        select p.relid
        from pg_partition_tree(tg_relid) as p
        where p.relid <> tg_relid
          and p.isleaf
          and tg_relid = (
              select above.relid
              from pg_partition_ancestors(p.relid) with ordinality as above (relid, distance)
              where exists (
                  select from pg_trigger as t where t.tgrelid = above.relid and t.tgname = 'lizsync_audit_truncate')
              order by above.distance
              limit 1
          )
    loop
        begin
            execute format('select exists (select from only %s as o where pg_column_size(o.*) > 100000)', v_table)
            into v_is_large;
        exception
            when program_limit_exceeded or out_of_memory or internal_error then
                v_is_large := true;
        end;
        execute format(
            'insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, old_values, unlogged_columns)
             select $1, clock_timestamp(), $2, ''D'', o.* from (%s) as o',
            case when v_is_large
                then audit.large_rows_query(v_table, tg_argv[1]::text[], format('only %s', v_table), null)
                else format('select t.uid, "public".hstore(t.*) operator("public".-) $3, null::text[] from only %s as t', v_table)
            end)
        using v_statement_id, tg_argv[0]::integer, tg_argv[1]::text[];
        get diagnostics v_logged_here = row_count;
        v_logged := v_logged + v_logged_here;
    end loop;

    if v_logged > 0 then
        insert into audit.logged_statements (
            statement_id, transaction_id, logged_at, session_user_name, application_name, client_address, client_query
        )
        overriding system value
        values (
            v_statement_id, pg_current_xact_id(), clock_timestamp(), session_user, current_setting('application_name'),
            inet_client_addr(), left(current_query(), 10000)
        );
        perform set_config('lizsync_audit.last_event', currval('audit.event_id_sequence')::text, true);
    end if;
    return null;
end
$_$;


--
-- Name: FUNCTION log_truncate(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.log_truncate() IS 'Trigger before TRUNCATE of an audited table: logs every row as deleted.';


--
-- Name: mark_statement(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.mark_statement() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
-- Remembers, before a statement on an audited table changes anything, what this transaction had logged by then.
-- audit.log_statement compares: when other statements logged something in between, they ran inside this one (in a
-- trigger or a function), and their events must sort after this statement's own.
-- A statement that begins while nothing was logged has no mark: what there is at its end was logged inside it.
-- The marks of nested statements on one table form a stack, the newest first. They live in settings of the transaction,
-- because those follow savepoints; they decide nothing but the order of the transaction's own events.
declare
    v_last_event constant text := pg_catalog.current_setting('lizsync_audit.last_event', true);
    v_setting text;
begin
    -- asked here, as a condition of the trigger is read and planned anew for each statement, which takes longer
    if v_last_event operator(pg_catalog.<>) '' then
        v_setting := pg_catalog.format('lizsync_audit.mark_%s_%s', tg_relid, tg_op);
        -- assigned, as PERFORM would run a query
        v_setting := pg_catalog.set_config(
            v_setting, pg_catalog.concat(v_last_event, ',', pg_catalog.current_setting(v_setting, true)), true);
    end if;
    return null;
end
$$;


--
-- Name: FUNCTION mark_statement(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.mark_statement() IS 'Trigger before each statement on an audited table: remembers what the transaction had logged before the statement.';


--
-- Name: order_nested_events(oid, integer, "char", bigint, bigint); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.order_nested_events(p_table_oid oid, p_relation_id integer, p_action "char", p_statement_id bigint, p_after_event_id bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- A statement's events are logged when it ends, those of statements that its triggers ran have been logged by then:
-- an insert whose trigger updates the new row would stand in the log after that update. This gives the events of nested
-- statements new, later ids where they touch the same rows.
-- PostgreSQL itself refuses to update or delete a row that the same statement's triggers changed before, so an update
-- comes before everything nested. A delete comes before a nested insert only. An insert comes first unless the nested
-- statements ended with a delete although the row is there: then they removed an older row to make room for it.
declare
    v_live_uids uuid[] := '{}';
begin
    if p_action = 'I' then
        execute format('select array_agg(t.uid) from %s as t where t.uid in (
                            select a.uid from audit.logged_actions as a
                            where a.transaction_id = pg_current_xact_id() and a.statement_id = $1)', p_table_oid::regclass)
        into v_live_uids
        using p_statement_id;
    end if;

    with nested as materialized (
        select n.event_id, n.uid, n.action
        from audit.logged_actions as n
        where n.transaction_id = pg_current_xact_id()
          and n.event_id > p_after_event_id
          and n.relation_id = p_relation_id
          and n.statement_id <> p_statement_id
          and n.uid in (
              select own.uid
              from audit.logged_actions as own
              where own.transaction_id = pg_current_xact_id() and own.statement_id = p_statement_id
                -- else audit.drop_doubled_events has made it the last one
                and own.action = p_action
          )
    ), later as materialized (
        select n.uid
        from nested as n
        group by n.uid
        having case p_action
            when 'U' then true
            when 'D' then bool_or(n.action = 'I')
            else (array_agg(n.action order by n.event_id desc))[1] <> 'D' or n.uid <> all (coalesce(v_live_uids, '{}'))
        end
    ), renumbered as materialized (
        select in_order.event_id, nextval('audit.event_id_sequence') as new_event_id
        from (
            select n.event_id
            from nested as n
            join later as l on l.uid = n.uid
            order by n.event_id
        ) as in_order
    )
    update audit.logged_actions as a
    set event_id = r.new_event_id
    from renumbered as r
    where a.transaction_id = pg_current_xact_id() and a.event_id = r.event_id;
end
$_$;


--
-- Name: FUNCTION order_nested_events(p_table_oid oid, p_relation_id integer, p_action "char", p_statement_id bigint, p_after_event_id bigint); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.order_nested_events(p_table_oid oid, p_relation_id integer, p_action "char", p_statement_id bigint, p_after_event_id bigint) IS 'Moves events that statements inside p_statement_id logged behind its own, for the rows that both changed.';


--
-- Name: refuse_uid_change(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.refuse_uid_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    raise exception using
        errcode = 'LZ001',
        message = format('the uid of a row of %I.%I must not change (it was %s, and would become %s)',
                         tg_table_schema, tg_table_name, old.uid, new.uid),
        hint = 'uid identifies the row on all servers. Leave it out of the update; for another row, delete this one and insert a new one.',
        schema = tg_table_schema,
        table = tg_table_name,
        column = 'uid';
end
$$;


--
-- Name: FUNCTION refuse_uid_change(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.refuse_uid_change() IS 'Trigger: refuses an update that changes uid.';


--
-- Name: text_size(anyelement); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.text_size(p_value anyelement) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The subtransaction of the exception block writes nothing, so it takes no transaction id.
begin
    return octet_length(concat(p_value));
exception
    -- PostgreSQL says it in any of these ways
    when program_limit_exceeded or out_of_memory or internal_error then
        return 9223372036854775807;
end
$$;


--
-- Name: FUNCTION text_size(p_value anyelement); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.text_size(p_value anyelement) IS 'Bytes of a value as text; the greatest bigint when it has no text because that were longer than PostgreSQL allows.';


--
-- Name: accept_move(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.accept_move() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- Positions count in transactions, and only their order matters: they keep their meaning where the count goes on above
-- all that it was, as after pg_upgrade. After a restore into a server that began anew they mean nothing.
declare
    v_before jsonb;
    v_counted xid8;
begin
    select lizsync.incarnation_of(m.system_identifier, m.database_oid)
    into v_before
    from lizsync.server_metadata as m
    for update;
    if v_before = lizsync.incarnation() then
        return false;
    end if;
    select max(c.transaction_id) into v_counted
    from (
        (select a.transaction_id from audit.logged_actions as a order by a.transaction_id desc limit 1)
        union all
        select pg_snapshot_xmax(l.peer_position) from lizsync.links as l
        union all
        select l.last_sync_transaction_id from lizsync.links as l
        cross join lizsync.server_metadata as m where m.server_role = 'clone'
    ) as c;
    if v_counted >= pg_snapshot_xmax(pg_current_snapshot()) then
        raise exception using
            errcode = 'LZ001',
            message = format('database %I was restored into a server that counts transactions anew', current_database()),
            detail = format('Its log goes up to transaction %s, this server is at %s: what the other servers have of it can''t be told.',
                            v_counted, pg_snapshot_xmax(pg_current_snapshot())),
            hint = case (select m.server_role from lizsync.server_metadata as m)
                when 'central' then 'Make new packages of it and deploy them to the clones.'
                else 'Deploy a package to it; with --force, what it did not send is written to a file before.'
            end;
    end if;
    update lizsync.server_metadata as m
    set former_incarnations = m.former_incarnations || v_before,
        system_identifier = (lizsync.incarnation() ->> 'system_identifier')::bigint,
        database_oid = (lizsync.incarnation() ->> 'database_oid')::oid;
    return true;
end
$$;


--
-- Name: FUNCTION accept_move(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.accept_move() IS 'Lets a database go on in the place of the one that it was moved from, which is gone; false when it was not moved. LZ001 where the transactions of this server can''t continue those of the former one.';


--
-- Name: add_held_changes(uuid, uuid, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.add_held_changes(p_sync_id uuid, p_sender_id uuid, p_tables jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- A held row is tried again together with what has arrived for it since: later values replace held ones, a delete or a
-- new insert replaces the row.
begin
    -- The sender takes a change that is held here for one that this server has seen: what this server changed later has
    -- overwritten it there without a conflict. It is recorded before what came after that takes its place.
    insert into pg_temp.lizsync_found_conflicts (
        schema_name, table_name, uid, kind, winner_server_id, loser_server_id, winner_changed_at, loser_changed_at,
        winning_values, losing_values
    )
    select
        h.schema_name, h.table_name, h.uid, case m.action when 'D' then 'update_delete' else 'update_update' end,
        m.origin_server_id, p.origin_server_id, m.changed_at, p.changed_at,
        "public".slice(m.new_values, lost.columns), "public".slice(p.new_values, lost.columns)
    from (
        select
            c.*, r.relation_id, bool_or(s.action in ('I', 'D')) as replaces_row,
            lizsync.merge_values(s.new_values) as arrived_values
        from lizsync.held_changes as c
        join audit.logged_relations as r using (schema_name, table_name)
        join lizsync.staged_changes as s
            on s.sync_id = p_sync_id and s.batch = 0
            and s.schema_name = c.schema_name and s.table_name = c.table_name and s.uid = c.uid
        where c.peer_id = p_sender_id and lizsync.names_table(p_tables, c.schema_name, c.table_name)
        group by c.held_id, r.relation_id
    ) as h
    join lizsync.held_change_parts as p on p.held_id = h.held_id
    join lateral lizsync.fold_window(h.held_position, '[]', '0', true, p_sender_id) as m
        on m.relation_id = h.relation_id and m.uid = h.uid and m.received_from is distinct from p_sender_id
    cross join lateral (
        select array_agg(v.key) as columns
        from "public".each(p.new_values) as v
        where (h.replaces_row or "public".exist(h.arrived_values, v.key))
          and (m.action = 'D' or ("public".exist(m.new_values, v.key)
                                  and (m.new_values operator("public".->) v.key) is distinct from v.value))
    ) as lost
    where lost.columns is not null;

    insert into lizsync.staged_changes (
        sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values
    )
    select
        p_sync_id, h.schema_name, h.table_name, h.uid, p.action, p.origin_server_id, p.changed_at, p.corrected_at,
        p.new_values operator("public".-) coalesce(arrived.columns, '{}')
    from lizsync.held_changes as h
    join lizsync.held_change_parts as p on p.held_id = h.held_id
    left join lateral (
        select
            bool_or(s.action in ('I', 'D')) as replaces_row,
            "public".akeys(lizsync.merge_values(s.new_values)) as columns
        from lizsync.staged_changes as s
        where s.sync_id = p_sync_id and s.batch = 0
          and s.schema_name = h.schema_name and s.table_name = h.table_name and s.uid = h.uid
    ) as arrived on true
    where h.peer_id = p_sender_id
      and lizsync.names_table(p_tables, h.schema_name, h.table_name)
      and arrived.replaces_row is not true
      and (p.action <> 'U' or p.new_values operator("public".-) coalesce(arrived.columns, '{}')
                              operator("public".<>) '');
end
$$;


--
-- Name: FUNCTION add_held_changes(p_sync_id uuid, p_sender_id uuid, p_tables jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.add_held_changes(p_sync_id uuid, p_sender_id uuid, p_tables jsonb) IS 'Stages the held changes of a sender (p_tables null: of all tables) again, merged with what it has sent now.';


--
-- Name: add_incoming_batch(uuid, integer, uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.add_incoming_batch(p_sync_id uuid, p_batch integer, p_sender_id uuid) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_nestloop TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_sort TO 'off'
    SET default_statistics_target TO '10'
    AS $$
declare
    v_rows integer;
begin
    -- names by themselves: together with their positions PostgreSQL would sort all rows for them
    with names as materialized (
        select distinct p.schema_name, p.table_name
        from lizsync.staged_changes as p
        where p.sync_id = p_sync_id and p.batch = p_batch
    ), tables as materialized (
        select
            d.schema_name, d.table_name, format('%I.%I', d.schema_name, d.table_name)::regclass as relation,
            row_number() over (order by d.schema_name, d.table_name) as position
        from names as d
    ), parts as not materialized (
        select p.* from lizsync.staged_parts(p_sync_id, p_batch, p_sender_id) as p
    ), several as materialized (
        select p.schema_name, p.table_name, p.uid
        from lizsync.staged_changes as p
        where p.sync_id = p_sync_id and p.batch = p_batch
        group by p.schema_name, p.table_name, p.uid
        having count(*) > 1
    ), incoming as (
        select
            p.schema_name, p.table_name, p.uid, p.action, p.new_values, false as several_parts, p.origin_server_id,
            p.changed_at, p.corrected_at
        from parts as p
        left join several as s
            on s.schema_name = p.schema_name and s.table_name = p.table_name and s.uid = p.uid
        where s.uid is null
        union all
        select
            p.schema_name, p.table_name, p.uid,
            (case when bool_or(p.action = 'D') then 'D' when bool_or(p.action = 'I') then 'I' else 'U' end)::"char",
            lizsync.merge_values(p.new_values), true, null, min(p.changed_at), min(p.corrected_at)
        from parts as p
        join several as s
            on s.schema_name = p.schema_name and s.table_name = p.table_name and s.uid = p.uid
        group by p.schema_name, p.table_name, p.uid
    )
    insert into pg_temp.lizsync_incoming (
        batch, relation, schema_name, table_name, uid, action, new_values, several_parts, origin_server_id, changed_at,
        corrected_at, received_from, exists_here
    )
    select
        p_batch, t.relation, i.schema_name, i.table_name, i.uid, i.action, i.new_values, i.several_parts, i.origin_server_id,
        i.changed_at, i.corrected_at, case when p_batch = 0 then p_sender_id end, i.action <> 'I'
    from incoming as i
    join tables as t using (schema_name, table_name)
    order by t.position;
    get diagnostics v_rows = row_count;
    if p_batch = 0 then
        -- quicker than row by row
        create unique index lizsync_incoming_row_id on pg_temp.lizsync_incoming (row_id);
    end if;
    analyze pg_temp.lizsync_incoming (row_id, batch, relation, uid, action, exists_here, state);

    insert into pg_temp.lizsync_incoming_relations (batch, relation, schema_name, table_name, first_row, last_row)
    select p_batch, r.relation, n.nspname, c.relname, r.first_row, r.last_row
    from (
        select i.relation, min(i.row_id) as first_row, max(i.row_id) as last_row
        from pg_temp.lizsync_incoming as i
        where i.batch = p_batch
        group by i.relation
    ) as r
    join pg_class as c on c.oid = r.relation
    join pg_namespace as n on n.oid = c.relnamespace;
    perform lizsync.check_rights(r.relation) from pg_temp.lizsync_incoming_relations as r where r.batch = p_batch;

    if exists (select from pg_temp.lizsync_incoming as i where i.batch = p_batch and i.several_parts) then
        insert into pg_temp.lizsync_incoming_parts (row_id, action, origin_server_id, changed_at, corrected_at, new_values)
        select i.row_id, p.action, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values
        from pg_temp.lizsync_incoming as i
        join lizsync.staged_parts(p_sync_id, p_batch, p_sender_id) as p
            on p.schema_name = i.schema_name and p.table_name = i.table_name and p.uid = i.uid
        where i.batch = p_batch and i.several_parts;
        analyze pg_temp.lizsync_incoming_parts (row_id);
    end if;

    delete from lizsync.staged_changes as p where p.sync_id = p_sync_id and p.batch = p_batch;
    return v_rows;
end
$$;


--
-- Name: FUNCTION add_incoming_batch(p_sync_id uuid, p_batch integer, p_sender_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.add_incoming_batch(p_sync_id uuid, p_batch integer, p_sender_id uuid) IS 'Brings the staged parts of a batch together, one row in lizsync_incoming for each row to apply, table by table; returns how many. LZ001 when a right on one of the tables is missing.';


--
-- Name: adopt_incarnation(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.adopt_incarnation() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- From here on this database counts in its own transactions. Its links counted in those of the one it was copied from, so
-- their clones need new packages. Events with ids that this server has not given out yet would come up again one day: all
-- that there is now belongs to the past.
begin
    update lizsync.server_metadata as m
    set system_identifier = (lizsync.incarnation() ->> 'system_identifier')::bigint,
        database_oid = (lizsync.incarnation() ->> 'database_oid')::oid,
        pruned_before = null
    where lizsync.incarnation() <> lizsync.incarnation_of(m.system_identifier, m.database_oid);
    if not found then
        return false;
    end if;
    update lizsync.links as l set retired_at = clock_timestamp() where l.retired_at is null;
    update audit.logged_actions as a
    set transaction_id = '3'
    where a.transaction_id >= pg_snapshot_xmin(pg_current_snapshot());
    return true;
end
$$;


--
-- Name: FUNCTION adopt_incarnation(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.adopt_incarnation() IS 'Lets a database that was copied or restored from a dump be a server in its own right; false when it was one already.';


--
-- Name: adopt_partitions(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.adopt_partitions() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    SET row_security TO 'off'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    AS $_$
-- A partition that was created or attached since the last sync gets what the others have: statement triggers and a unique
-- uid. What was written to it until now has been logged by its row trigger, and will be when it is in use and has to wait
-- for the next sync: that is no reason to fail.
-- Rows that it had when it was attached are in no log. They are logged now, with a time at which they lose against any
-- change that somebody else made to the same row. A partition that was attached again may have changed in between: all its
-- rows are logged then.
declare
    v_partition record;
    v_is_attached_again boolean;
    v_adopted integer := 0;
begin
    for v_partition in
        select p.relid as partition_oid, p.isleaf, r.relation_id, r.schema_name, r.table_name
        from audit.logged_relations as r
        join pg_namespace as n on n.nspname = r.schema_name
        join pg_class as root on root.relnamespace = n.oid and root.relname = r.table_name and root.relkind = 'p'
        cross join pg_partition_tree(root.oid) as p
        where p.level > 0 and audit.is_new_partition(p.relid)
        order by r.relation_id, p.level, p.relid
    loop
        begin
            execute format(
                'lock table %s in %s mode', v_partition.partition_oid,
                case when lizsync.has_unique_uid(v_partition.partition_oid) or not v_partition.isleaf
                     then 'share row exclusive' else 'access exclusive' end);
            -- another sync may have done it meanwhile
            continue when not audit.is_new_partition(v_partition.partition_oid);

            if v_partition.isleaf and not lizsync.has_unique_uid(v_partition.partition_oid) then
                execute format('alter table %s add unique (uid)', v_partition.partition_oid);
            end if;
            v_is_attached_again := exists (
                select from pg_trigger as t
                where t.tgrelid = v_partition.partition_oid and t.tgname = 'lizsync_audit_insert' and t.tgparentid = 0);
            perform audit.enable_table(v_partition.partition_oid, v_partition.relation_id);

            if v_partition.isleaf then
                execute format($sql$
                    insert into audit.logged_actions (changed_at, corrected_at, relation_id, action, uid, new_values)
                    select '-infinity', '-infinity', $1, 'I', t.uid, "public".hstore(t.*) operator("public".-) $2
                    from only %s as t
                    where $3 or not exists (
                        select from audit.logged_actions as a
                        where a.relation_id = $1 and a.uid = t.uid and a.action = 'I')$sql$,
                    v_partition.partition_oid)
                using
                    v_partition.relation_id,
                    (
                        select array_agg(a.attname::text)
                        from pg_attribute as a
                        where a.attrelid = v_partition.partition_oid
                          and a.attname <> all (lizsync.synchronised_columns(v_partition.schema_name, v_partition.table_name))
                    ),
                    v_is_attached_again;
            end if;
            v_adopted := v_adopted + 1;
        exception
            when lock_not_available or object_in_use or deadlock_detected then
                null;
            when insufficient_privilege then
                raise exception using
                    errcode = 'LZ001',
                    message = format('the partition %s of %I.%I was added, and cannot be synchronised yet: %s',
                        v_partition.partition_oid, v_partition.schema_name, v_partition.table_name, sqlerrm),
                    hint = format('Connect as the owner of the partition or a superuser: alter table %s owner to %I;',
                        v_partition.partition_oid, current_user);
            when unique_violation then
                raise exception using
                    errcode = 'LZ001',
                    message = format('the partition %s of %I.%I was added, and several of its rows have the same uid',
                        v_partition.partition_oid, v_partition.schema_name, v_partition.table_name),
                    hint = 'Give each row a uid of its own, before it is attached: update ... set uid = gen_random_uuid();';
        end;
    end loop;
    return v_adopted;
end
$_$;


--
-- Name: FUNCTION adopt_partitions(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.adopt_partitions() IS 'Gives partitions that were added to audited tables what the others have, and logs the rows that they brought along; returns how many there were. LZ001: the caller may not, or a partition cannot be synchronised.';


--
-- Name: ahead_positions(uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.ahead_positions(p_peer_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('schema_name', r.schema_name, 'table_name', r.table_name, 'position', r.position)
            order by r.schema_name, r.table_name),
        '[]')
    from lizsync.link_relations as r
    where r.peer_id = p_peer_id and r.position is not null
$$;


--
-- Name: FUNCTION ahead_positions(p_peer_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.ahead_positions(p_peer_id uuid) IS 'The tables of a link that are further than its position, each with its own: they were synchronised without the others.';


--
-- Name: allot_range(regclass, text[], numeric, numeric, uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.allot_range(p_sequence regclass, p_columns text[], p_lowest numeric, p_highest numeric, p_clone_id uuid, OUT range_id bigint, OUT refusal text, OUT hint text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The central draws from the front of a sequence, ranges for clones are cut off its end, each in front of the one before.
-- What is between is free for both. A range takes a fiftieth of that at most, so there is always more left for the central
-- than for the next clone.
--
-- Numbers are negated where the sequence counts down, so that it counts up here (v_drawn, v_end, v_first, v_last).
declare
    v_sequence_id integer;
    v_sign numeric;
    v_step numeric;
    v_start numeric;
    v_drawn numeric;
    v_end numeric;
    v_size numeric;
    v_power numeric;
    v_first numeric;
    v_last numeric;
    v_row bigint;
    v_free record;
begin
    lock table lizsync.sequences in exclusive mode;
    v_sequence_id := lizsync.known_sequence(p_sequence, p_columns);
    if v_sequence_id is null then
        insert into lizsync.sequences as s (sequence, columns) values (p_sequence, p_columns)
        returning s.sequence_id into v_sequence_id;
    else
        update lizsync.sequences as s
        set sequence = p_sequence, columns = p_columns
        where s.sequence_id = v_sequence_id and (s.sequence, s.columns) is distinct from (p_sequence, p_columns);
    end if;

    select sign(q.seqincrement), abs(q.seqincrement), sign(q.seqincrement) * q.seqstart
    into v_sign, v_step, v_start
    from pg_sequence as q
    where q.seqrelid = p_sequence;
    v_drawn := v_sign * coalesce(lizsync.last_number(p_sequence), (
        -- of what is not a clone's
        select lizsync.find_value(
            p_columns,
            case when v_sign > 0 then p_lowest else coalesce(max(r.upper_value), p_lowest - 1) + 1 end::bigint,
            case when v_sign > 0 then coalesce(min(r.lower_value), p_highest + 1) - 1 else p_highest end::bigint,
            v_sign > 0)
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id
    ), v_sign * v_start);

    v_end := case when v_sign > 0 then p_highest else - p_lowest end;
    -- when nothing is left in front of the ranges that are given, it may be behind them
    if floor((
        select min(case when v_sign > 0 then r.lower_value else - r.upper_value::numeric end)
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id
          and case when v_sign > 0 then r.lower_value else - r.upper_value::numeric end > v_drawn
    ) - v_drawn) / v_step / 50 < 10 then
        select g.drawn into v_drawn from lizsync.guard_sequence(p_sequence, v_sequence_id, v_end, null, v_drawn) as g;
    end if;
    -- the end of bigint is far: numbers of 12 digits will do, which people can read, and if the central is there already then
    -- those that a floating-point number can hold, too
    v_end := least(v_end, greatest(
        power(10::numeric, 12),
        least(power(10::numeric, ceil(log(greatest(v_drawn, 1))) + 3), case when v_drawn < 4503599627370496 then 9007199254740991 end)));
    select least(v_end, min(f.first) - 1) into v_end
    from (
        select case when v_sign > 0 then r.lower_value else - r.upper_value::numeric end as first
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id
    ) as f
    where f.first > v_drawn;

    for v_try in 1..100 loop
        v_first := null;
        -- 1, 2 or 5 and zeros, so that people know the ranges by sight
        v_size := least(floor((v_end - v_drawn) / v_step / 50), 1000000000);
        exit when v_size < 10;
        v_power := power(10::numeric, floor(log(v_size)));
        v_size := v_power * case when v_size >= 5 * v_power then 5 when v_size >= 2 * v_power then 2 else 1 end;
        v_last := floor(v_end / (v_size * v_step)) * v_size * v_step;
        v_first := v_last - v_size * v_step + 1;
        -- rows that were given a number by hand
        v_row := lizsync.find_value(
            p_columns, least(v_sign * v_first, v_sign * v_last)::bigint, greatest(v_sign * v_first, v_sign * v_last)::bigint,
            v_sign < 0);
        exit when v_row is null;
        v_end := v_sign * v_row - 1;
        v_first := null;
    end loop;

    -- what clones have given back
    for v_free in
        select r.range_id, least(v_sign * r.lower_value, v_sign * r.upper_value) as first,
               greatest(v_sign * r.lower_value, v_sign * r.upper_value) as last
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id
          and r.clone_id is null
          and (r.upper_value - r.lower_value) / v_step + 1 >= case when v_first is null then 10 else v_size end
          and not (v_sign * v_drawn between r.lower_value and r.upper_value)
          and lizsync.find_value(p_columns, r.lower_value, r.upper_value, true) is null
        order by r.upper_value - r.lower_value desc, r.range_id
        limit 1
    loop
        v_first := v_free.first;
        v_last := v_free.last;
        range_id := v_free.range_id;
    end loop;

    if v_first is null then
        refusal := format('the sequence %s of the central has no numbers left that a clone could be given', p_sequence);
        hint := format('End the links of clones that are gone (lizsync retire), or give its columns a larger type on all servers (%s), and '
                       'then let it have more numbers: alter sequence %s as bigint no %s', array_to_string(p_columns, ', '), p_sequence,
                       case when v_sign > 0 then 'maxvalue' else 'minvalue' end);
        return;
    end if;
    -- in step with what the sequence draws itself
    v_first := v_first + mod(mod(v_start - v_first, v_step) + v_step, v_step);
    if v_first > v_drawn then
        select g.refusal, g.hint into refusal, hint
        from lizsync.guard_sequence(p_sequence, v_sequence_id, v_end, v_first, v_drawn) as g;
        if refusal is not null then
            range_id := null;
            return;
        end if;
    end if;

    if range_id is null then
        insert into lizsync.sequence_ranges as r (sequence_id, lower_value, upper_value, clone_id)
        values (v_sequence_id, least(v_sign * v_first, v_sign * v_last), greatest(v_sign * v_first, v_sign * v_last), p_clone_id)
        returning r.range_id into range_id;
    else
        update lizsync.sequence_ranges as r
        set clone_id = p_clone_id, allotted_at = clock_timestamp(), confirmed_at = null, drawn_value = null,
            lower_value = least(v_sign * v_first, v_sign * v_last), upper_value = greatest(v_sign * v_first, v_sign * v_last)
        where r.range_id = allot_range.range_id;
    end if;
end
$$;


--
-- Name: FUNCTION allot_range(p_sequence regclass, p_columns text[], p_lowest numeric, p_highest numeric, p_clone_id uuid, OUT range_id bigint, OUT refusal text, OUT hint text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.allot_range(p_sequence regclass, p_columns text[], p_lowest numeric, p_highest numeric, p_clone_id uuid, OUT range_id bigint, OUT refusal text, OUT hint text) IS 'On the central, gives a clone a range of a sequence, which feeds these columns and may have numbers from p_lowest to p_highest. Returns the row of lizsync.sequence_ranges, or null and why not.';


--
-- Name: apply_changes(uuid, uuid, pg_snapshot, pg_snapshot, pg_snapshot, interval, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.apply_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_clock_shift interval, p_scope jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET session_replication_role TO 'replica'
    SET row_security TO 'off'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET jit TO 'off'
    SET work_mem TO '64MB'
    AS $$
-- Everything happens in the caller's transaction: the data, its log, the position, conflicts and held changes. It runs
-- read committed: rows are locked first, then a new statement looks for conflicts, so that a concurrent writer has
-- either committed and is seen, or waits.
-- p_scope: the tables that are synchronised (null: all), and for tables that were synchronised without the others how far
-- they were before (from_ahead, beside p_from) and how far the sender has them (sender_ahead, beside p_sender_position).
declare
    v_tables constant jsonb := nullif(p_scope -> 'tables', 'null');
    v_sender_ahead constant jsonb := coalesce(p_scope -> 'sender_ahead', '[]');
    v_position constant pg_snapshot := case when v_tables is null and p_to is not null then p_to else p_from end;
    v_link record;
    v_has_held boolean;
    v_carefully boolean;
    v_is_locking boolean;
    v_as_supposed boolean;
    v_pruned record;
    v_relation record;
    v_held_position pg_snapshot;
    v_rows bigint := 0;
    v_conflicts bigint := 0;
    v_held bigint;
    v_first_event_id bigint;
    v_batch integer;
    v_batch_rows integer;
    v_to_hold integer[];
    v_message text;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using
            errcode = 'LZ002',
            message = format('synchronisation needs a read committed transaction, this one is %s', current_setting('transaction_isolation')),
            hint = 'Run it outside of a transaction, or after BEGIN ISOLATION LEVEL READ COMMITTED.';
    end if;
    if pg_trigger_depth() > 0 then
        raise exception using
            errcode = 'LZ002',
            message = 'synchronisation cannot run inside a trigger',
            hint = 'Call lizsync.synchronize() from a session or a scheduled job.';
    end if;

    select l.* into v_link from lizsync.links as l where l.peer_id = p_sender_id for update;
    if not found then
        raise exception using
            errcode = 'LZ001',
            message = format('server %s has no link to %s', lizsync.server_id(), p_sender_id),
            hint = 'Deploy a package of the central to the clone.';
    end if;
    if v_link.position::text <> p_from::text
       or lizsync.ahead_positions(p_sender_id) <> coalesce(p_scope -> 'from_ahead', '[]') then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link went on in the meantime',
            detail = format('The changes were taken from position %s, the link is at %s.', p_from, v_link.position),
            hint = 'Nothing was lost; synchronise again.';
    end if;

    v_has_held := exists (
        select from lizsync.held_changes as h
        where h.peer_id = p_sender_id and lizsync.names_table(v_tables, h.schema_name, h.table_name));
    if v_has_held or exists (select from lizsync.staged_changes as s where s.sync_id = p_sync_id) then

        select format('%I.%I', d.schema_name, d.table_name) into v_message
        from (
            select distinct s.schema_name, s.table_name from lizsync.staged_changes as s where s.sync_id = p_sync_id
        ) as d
        where not exists (
            select from lizsync.link_relations as r
            join audit.logged_relations as a using (schema_name, table_name)
            where r.peer_id = p_sender_id and r.schema_name = d.schema_name and r.table_name = d.table_name)
        limit 1;
        if v_message is not null then
            raise exception using
                errcode = 'LZ001',
                message = format('the other server sent changes of %s, which this link does not synchronise', v_message),
                hint = 'Make a new package and deploy it.';
        end if;

        perform lizsync.start_incoming();
        if v_has_held then
            perform lizsync.add_held_changes(p_sync_id, p_sender_id, v_tables);
        end if;
        perform lizsync.add_incoming_batch(p_sync_id, 0, p_sender_id);

        if v_has_held then
            -- a held change is no echo when it succeeds at last: the sender may have got another value from here since then
            -- (as a replica, PostgreSQL does not cascade a delete)
            delete from lizsync.held_change_parts as p using lizsync.held_changes as h
            where h.peer_id = p_sender_id and p.held_id = h.held_id
              and lizsync.names_table(v_tables, h.schema_name, h.table_name);
            with tried_again as (
                delete from lizsync.held_changes as h
                where h.peer_id = p_sender_id and lizsync.names_table(v_tables, h.schema_name, h.table_name)
                returning *
            )
            update pg_temp.lizsync_incoming as i
            set received_from = null, held_id = h.held_id, held_since = h.held_since, held_position = h.held_position,
                held_sqlstate = h.sqlstate
            from tried_again as h
            where i.schema_name = h.schema_name and i.table_name = h.table_name and i.uid = h.uid;
        end if;

        v_first_event_id := nextval('audit.event_id_sequence');
        -- Nearly always all rows can be applied at once, and everything below happens in one subtransaction. It begins again
        -- when that fails: carefully, with a subtransaction for each attempt, or without the rows that are to be held.
        v_carefully := v_has_held;
        loop
            begin
                v_is_locking := true;
                v_as_supposed := true;
                for v_relation in select r.* from lizsync.incoming_relations(0) as r loop
                    v_as_supposed := lizsync.lock_rows(
                        v_relation.relation, v_relation.first_row, v_relation.last_row + 1, v_carefully) and v_as_supposed;
                end loop;
                v_is_locking := false;

                perform lizsync.resolve_conflicts(p_sender_id, p_sender_position, v_sender_ahead, p_clock_shift, false);
                for v_held_position in
                    select distinct i.held_position from pg_temp.lizsync_incoming as i where v_has_held and i.held_position is not null
                loop
                    perform lizsync.resolve_conflicts(p_sender_id, v_held_position, '[]', p_clock_shift, true);
                end loop;

                if v_as_supposed is not true then
                    update pg_temp.lizsync_incoming as i set state = 's' where i.action = 'D' and not i.exists_here;
                    update pg_temp.lizsync_incoming as i
                    set state = 'h', sqlstate = 'LZ003', message = 'the row to update is not there, and it was not deleted here'
                    where i.action = 'U' and not i.exists_here and i.state = 'a';
                end if;

                -- what was changed here since the sender's position may have been removed from the log (lizsync.prune_central): then
                -- nobody can say any more whether an older change of the sender lost
                select m.pruned_before, m.pruned_until into v_pruned from lizsync.server_metadata as m;
                if v_has_held or pg_snapshot_xmin(p_sender_position) < v_pruned.pruned_before then
                    update pg_temp.lizsync_incoming as i
                    set state = 'h', sqlstate = 'LZ003',
                        message = 'the log does not say any more what was changed here before, so which change is the later one is not known'
                    where i.state = 'a' and i.action <> 'D' and i.exists_here
                      and pg_snapshot_xmin(coalesce(i.held_position::pg_snapshot, p_sender_position)) < v_pruned.pruned_before
                      and coalesce(i.corrected_at, i.changed_at) <= v_pruned.pruned_until;
                end if;

                v_rows := 0;
                v_batch := 0;
                loop
                    for v_relation in select r.* from lizsync.incoming_relations(v_batch) as r loop
                        v_rows := v_rows + case
                            when v_carefully
                                then lizsync.apply_relation(v_relation.relation, v_relation.first_row, v_relation.last_row + 1)
                            else lizsync.apply_rows(v_relation.relation, v_relation.first_row, v_relation.last_row + 1, false)
                        end;
                    end loop;

                    -- what foreign keys ask for can't be held by itself: then the row that caused it is
                    select array_agg(coalesce(i.cause_row_id, -1)), min(i.message) into v_to_hold, v_message
                    from pg_temp.lizsync_incoming as i
                    where i.batch = v_batch and v_batch > 0 and i.state = 'h';
                    if v_to_hold is not null then
                        raise exception using errcode = 'LZ100', message = v_message, detail = v_to_hold::text;
                    end if;

                    exit when not lizsync.repair_foreign_keys(
                        p_sync_id, v_batch, v_first_event_id, p_sender_id,
                        case when p_to is not null then p_sender_position end, v_sender_ahead);
                    v_batch := v_batch + 1;
                    v_batch_rows := lizsync.add_incoming_batch(p_sync_id, v_batch, p_sender_id);
                    exit when v_batch_rows = 0;
                    update pg_temp.lizsync_incoming as i
                    set cause_row_id = c.row_id
                    from pg_temp.lizsync_found_conflicts as c
                    where i.batch = v_batch and c.kind like 'foreign_key%'
                      and (c.schema_name, c.table_name, c.uid) = (i.schema_name, i.table_name, i.uid);
                    for v_relation in select r.* from lizsync.incoming_relations(v_batch) as r loop
                        perform lizsync.lock_rows(v_relation.relation, v_relation.first_row, v_relation.last_row + 1, v_carefully);
                    end loop;
                    update pg_temp.lizsync_incoming as i set state = 's'
                    where i.batch = v_batch and not i.exists_here and i.action <> 'I';
                end loop;
                exit;
            exception
                when sqlstate 'LZ100' then
                    get stacked diagnostics v_message = pg_exception_detail;
                    v_to_hold := v_message::integer[];
                    v_message := sqlerrm;
                when others then
                    if v_carefully or not (lizsync.is_row_error(sqlstate) or (v_is_locking and sqlstate = '55P03')) then
                        raise;
                    end if;
                    v_carefully := true;
                    v_to_hold := '{}';
            end;
            if -1 = any (v_to_hold) then
                raise exception using
                    errcode = 'LZ001',
                    message = format('a foreign key cannot be kept: %s', v_message),
                    hint = 'Repair the rows in this server, then synchronise again.';
            end if;
            update pg_temp.lizsync_incoming as i
            set state = 'h', sqlstate = coalesce(i.sqlstate, '23503'), message = coalesce(i.message, v_message)
            where i.row_id = any (v_to_hold);
        end loop;

        with held as (
            insert into lizsync.held_changes as h (
                held_id, peer_id, schema_name, table_name, uid, sqlstate, message, held_since, held_position
            )
            -- a person may be about to discard it by the number that was shown
            overriding system value
            select
                coalesce(i.held_id, nextval(pg_get_serial_sequence('lizsync.held_changes', 'held_id'))),
                p_sender_id, i.schema_name, i.table_name, i.uid, i.sqlstate, i.message,
                coalesce(i.held_since, clock_timestamp()),
                coalesce(i.held_position::pg_snapshot, a.position, p_sender_position)
            from pg_temp.lizsync_incoming as i
            left join jsonb_to_recordset(v_sender_ahead) as a (schema_name text, table_name text, position pg_snapshot)
                using (schema_name, table_name)
            where i.batch = 0 and i.state = 'h'
            returning h.held_id, h.schema_name, h.table_name, h.uid
        )
        insert into lizsync.held_change_parts (held_id, action, origin_server_id, changed_at, corrected_at, new_values)
        select h.held_id, s.action, s.origin_server_id, s.changed_at, s.corrected_at, s.new_values
        from held as h
        join pg_temp.lizsync_incoming as i
            on i.batch = 0 and i.schema_name = h.schema_name and i.table_name = h.table_name and i.uid = h.uid
        join pg_temp.lizsync_writers as s on s.row_id = i.row_id;

        insert into lizsync.conflicts (
            sync_id, peer_id, schema_name, table_name, uid, kind, winner_server_id, loser_server_id,
            winner_changed_at, loser_changed_at, winning_values, losing_values
        )
        select
            p_sync_id, p_sender_id, c.schema_name, c.table_name, c.uid, c.kind, c.winner_server_id, c.loser_server_id,
            c.winner_changed_at, c.loser_changed_at, c.winning_values, c.losing_values
        from pg_temp.lizsync_found_conflicts as c
        left join pg_temp.lizsync_incoming as i on i.row_id = c.row_id
        where i.state is distinct from 'h';
        get diagnostics v_conflicts = row_count;

        drop view pg_temp.lizsync_writers;
        drop table pg_temp.lizsync_incoming, pg_temp.lizsync_incoming_relations, pg_temp.lizsync_incoming_parts, pg_temp.lizsync_found_conflicts;
    end if;

    update lizsync.links as l
    set position = v_position,
        peer_position = p_sender_position,
        last_synchronised_at = clock_timestamp()
    where l.peer_id = p_sender_id;
    update lizsync.link_relations as r
    set position = case when v_tables is not null then p_to end
    where r.peer_id = p_sender_id
      and p_to is not null
      and (r.position is not null or v_tables is not null)
      and lizsync.names_table(v_tables, r.schema_name, r.table_name);

    select count(*) into v_held from lizsync.held_changes as h where h.peer_id = p_sender_id;
    return jsonb_build_object(
        'rows', v_rows, 'conflicts', v_conflicts, 'held', v_held,
        'position', v_position, 'ahead', lizsync.ahead_positions(p_sender_id));
end
$$;


--
-- Name: FUNCTION apply_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_clock_shift interval, p_scope jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.apply_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_clock_shift interval, p_scope jsonb) IS 'Applies what p_sender_id delivered under p_sync_id, moves the link from position p_from to p_to (null: nothing was delivered, what is held is tried again). p_sender_position: what the sender has of this server''s log. Returns rows changed here, conflicts found, changes held, and how far the link is now.';


--
-- Name: apply_relation(regclass, integer, integer); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.apply_relation(p_relation regclass, p_from_row integer, p_to_row integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- All rows at once; if that fails, the halves, down to the rows that fail alone. Those are tried again together (they may
-- exchange unique values), then one by one as long as that helps (one may wait for what another one frees).
declare
    v_all_rows integer;
    v_failed integer;
    v_still_failed integer;
    v_row record;
begin
    select t.changed, t.failed into v_all_rows, v_failed
    from lizsync.try_rows(p_relation, p_from_row, p_to_row, false) as t;

    if v_failed > 0 then
        update pg_temp.lizsync_incoming as i
        set state = case i.state when 'f' then 'a' else 'd' end
        where i.row_id >= p_from_row and i.row_id < p_to_row and i.state in ('f', 'a');
        begin
            v_all_rows := v_all_rows + lizsync.apply_rows(p_relation, p_from_row, p_to_row, true);
            v_failed := 0;
        exception when others then
            if not lizsync.is_row_error(sqlstate) then
                raise;
            end if;
        end;

        while v_failed > 0 loop
            for v_row in
                select i.row_id
                from pg_temp.lizsync_incoming as i
                where i.row_id >= p_from_row and i.row_id < p_to_row and i.state in ('a', 'f')
                order by i.row_id
            loop
                update pg_temp.lizsync_incoming as i set state = 'a' where i.row_id = v_row.row_id;
                v_all_rows := v_all_rows + (
                    select t.changed from lizsync.try_rows(p_relation, v_row.row_id, v_row.row_id + 1, true) as t);
                update pg_temp.lizsync_incoming as i set state = 'd' where i.row_id = v_row.row_id and i.state = 'a';
            end loop;
            select count(*) into v_still_failed
            from pg_temp.lizsync_incoming as i
            where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'f';
            exit when v_still_failed = 0 or v_still_failed = v_failed;
            v_failed := v_still_failed;
        end loop;

        update pg_temp.lizsync_incoming as i
        set state = case i.state when 'f' then 'h' else 'a' end
        where i.row_id >= p_from_row and i.row_id < p_to_row and i.state in ('f', 'd', 'a');
    end if;
    return v_all_rows;
end
$$;


--
-- Name: FUNCTION apply_relation(p_relation regclass, p_from_row integer, p_to_row integer); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.apply_relation(p_relation regclass, p_from_row integer, p_to_row integer) IS 'Applies rows of lizsync_incoming to one table; those that the table refuses get state h. Returns how many rows changed.';


--
-- Name: apply_rows(regclass, integer, integer, boolean); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.apply_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- Set-based: one delete, one update and one insert for all rows, each with the events it logs. Deletes first, so that
-- unique values are free. p_replace: rows that are there are taken out and put back with their new values, so that they
-- can exchange values of a unique constraint among each other.
declare
    v_relation_id integer;
    v_columns text[];
    v_unlogged_columns text[];
    v_touched_columns text[];
    v_several_parts boolean;
    v_has_delete boolean;
    v_has_update boolean;
    v_inserts integer;
    v_rewriting_triggers boolean;
    v_server_id constant uuid := lizsync.server_id();
    v_rows integer;
    v_all_rows integer := 0;
begin
    select r.relation_id, lizsync.synchronised_columns(n.nspname, c.relname)
    into strict v_relation_id, v_columns
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join audit.logged_relations as r on r.schema_name = n.nspname and r.table_name = c.relname
    where c.oid = p_relation;

    select
        coalesce(bool_or(i.several_parts), false),
        coalesce(bool_or(i.action = 'D' and i.exists_here), false),
        coalesce(bool_or(i.action <> 'D' and i.exists_here), false),
        count(*) filter (where i.action <> 'D' and not i.exists_here)
    into v_several_parts, v_has_delete, v_has_update, v_inserts
    from pg_temp.lizsync_incoming as i
    where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a';

    select array_agg(a.attname) into v_unlogged_columns
    from pg_attribute as a
    where a.attrelid = p_relation and a.attnum > 0 and a.attname <> all (v_columns);

    v_rewriting_triggers := lizsync.has_rewriting_triggers(p_relation);
    if v_rewriting_triggers and v_has_update then
        execute format($sql$
            update pg_temp.lizsync_incoming as i
            set row_before = "public".hstore(t.*) operator("public".-) $3
            from %s as t
            where t.uid = i.uid and i.row_id >= $1 and i.row_id < $2 and i.state = 'a'
              and i.action <> 'D'$sql$, p_relation)
        using p_from_row, p_to_row, v_unlogged_columns;
    end if;

    if v_has_delete then
        execute format($sql$
            with removed as (
                delete from %1$s as t
                using pg_temp.lizsync_incoming as i
                where t.uid = i.uid and i.row_id >= $1 and i.row_id < $2 and i.state = 'a' and i.action = 'D'
                returning i.uid, i.received_from, i.origin_server_id, i.changed_at, i.corrected_at,
                          "public".hstore(t.*) operator("public".-) $3 as old_values
            )
            insert into audit.logged_actions (
                changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, old_values
            )
            select
                r.changed_at, r.corrected_at, $4, 'D', r.uid, nullif(r.origin_server_id, $5), r.received_from, r.old_values
            from removed as r
            $sql$, p_relation)
        using p_from_row, p_to_row, v_unlogged_columns, v_relation_id, v_server_id;
        get diagnostics v_rows = row_count;
        v_all_rows := v_all_rows + v_rows;
    end if;

    if v_has_update then
        select array_agg(touched.column_name order by touched.column_name) into v_touched_columns
        from (
            select distinct c.column_name
            from (
                select distinct "public".akeys(i.new_values) as columns
                from pg_temp.lizsync_incoming as i
                where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a' and i.action <> 'D' and i.exists_here
            ) as d
            cross join lateral unnest(d.columns) as c (column_name)
            where c.column_name = any (v_columns)
        ) as touched;
        v_all_rows := v_all_rows + lizsync.update_rows(
            p_relation, v_relation_id, p_from_row, p_to_row, v_touched_columns, v_several_parts, p_replace);
    end if;

    if v_inserts > 0 then
        execute format($sql$
            insert into %s (uid%s)
            overriding system value
            select i.uid%s
            from pg_temp.lizsync_incoming as i
            where i.row_id >= $1 and i.row_id < $2 and i.state = 'a' and i.action <> 'D' and not i.exists_here$sql$,
            p_relation,
            (select string_agg(format(', %I', c.column_name), '') from unnest(v_columns) as c (column_name)),
            (
                select string_agg(format(', %s', lizsync.value_expression(p_relation, c.column_name, 'i.new_values')), '')
                from unnest(v_columns) as c (column_name)
            ))
        using p_from_row, p_to_row;
        get diagnostics v_rows = row_count;
        if v_rows < v_inserts then
            raise exception using
                errcode = 'LZ003',
                message = format('a trigger or rule of %s kept a row from being written', p_relation);
        end if;
        v_all_rows := v_all_rows + v_rows;

        insert into audit.logged_actions (
            changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, new_values
        )
        select
            i.changed_at, i.corrected_at, v_relation_id, i.action, i.uid, nullif(i.origin_server_id, v_server_id),
            i.received_from, i.new_values
        from pg_temp.lizsync_incoming as i
        where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a' and i.action <> 'D' and not i.exists_here
          and not i.several_parts;
        if v_several_parts then
            insert into audit.logged_actions (
                changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, new_values
            )
            select
                p.changed_at, p.corrected_at, v_relation_id, p.action, i.uid, nullif(p.origin_server_id, v_server_id),
                i.received_from, p.new_values
            from pg_temp.lizsync_incoming as i
            join pg_temp.lizsync_incoming_parts as p on p.row_id = i.row_id
            where i.row_id >= p_from_row and i.row_id < p_to_row and i.state = 'a' and i.action <> 'D' and not i.exists_here
            -- the insert is logged before what others wrote into the row later
            order by i.uid, p.action;
        end if;
    end if;

    if v_rewriting_triggers then
        perform lizsync.log_trigger_changes(p_relation, v_relation_id, p_from_row, p_to_row, v_unlogged_columns);
    end if;
    return v_all_rows;
end
$_$;


--
-- Name: FUNCTION apply_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.apply_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean) IS 'Applies and logs rows of lizsync_incoming to one table; returns how many rows of the table changed. Fails as a whole.';


--
-- Name: ask_central(text, text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.ask_central(p_connection text, p_query text) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select r.answer from "public".dblink(p_connection, p_query) as r (answer jsonb)
$$;


--
-- Name: FUNCTION ask_central(p_connection text, p_query text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.ask_central(p_connection text, p_query text) IS 'Runs a query that returns one jsonb on an open dblink connection.';


--
-- Name: await_flush(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.await_flush() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- A crash of a server takes what it has not written to disk, and its transaction ids are given out again. What the other side
-- notes of this server, positions above all, must outlive that: everything that is visible now is written before.
-- Nearly always it is already. A flush can be asked for since PostgreSQL 17; before, the WAL writer does it as soon as its
-- page is full, within moments on a server that works and five seconds on one that sleeps.
declare
    v_written constant pg_lsn := pg_current_wal_insert_lsn();
    v_give_up_at constant timestamp with time zone := clock_timestamp() + interval '60 s';
begin
    if pg_current_wal_flush_lsn() >= v_written then
        return;
    end if;
    if current_setting('server_version_num')::integer >= 170000 then
        execute $sql$select pg_logical_emit_message(false, 'lizsync', '', true)$sql$;
        return;
    end if;
    perform pg_logical_emit_message(false, 'lizsync', repeat(' ', current_setting('wal_block_size')::integer));
    while pg_current_wal_flush_lsn() < v_written loop
        if clock_timestamp() > v_give_up_at then
            raise exception using
                errcode = 'LZ002',
                message = 'the server does not write its log of transactions to disk',
                hint = 'Look for a full or failing disk, and at wal_writer_delay. Nothing was lost; synchronise again.';
        end if;
        perform pg_sleep(0.005);
    end loop;
end
$_$;


--
-- Name: FUNCTION await_flush(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.await_flush() IS 'Returns when everything that is visible now, and what this transaction has written so far, outlives a crash; LZ002 after a minute.';


--
-- Name: await_link(uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.await_link(p_peer_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- A sync takes the lock anew in each of its transactions. In between somebody else may have taken it to begin a sync,
-- who finds the lock of the other server taken and gives up at once. This one waits for that, or both would give up.
begin
    perform pg_advisory_xact_lock(hashtextextended('lizsync link ' || p_peer_id, 0));
end
$$;


--
-- Name: FUNCTION await_link(p_peer_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.await_link(p_peer_id uuid) IS 'Locks a link until the transaction ends, on behalf of a sync that is under way; waits where lizsync.lock_link raises LZ004.';


--
-- Name: base_type(regtype); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.base_type(p_type regtype) RETURNS regtype
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with recursive type as (
        select t.oid, t.typbasetype from pg_type as t where t.oid = p_type
        union all
        select t.oid, t.typbasetype from type join pg_type as t on t.oid = type.typbasetype
    )
    select type.oid::regtype from type where type.typbasetype = 0
$$;


--
-- Name: FUNCTION base_type(p_type regtype); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.base_type(p_type regtype) IS 'The type that a domain is over, at the end; any other type itself.';


--
-- Name: begin_sync(jsonb, double precision, double precision); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.begin_sync(p_central_state jsonb, p_clock_offset_ms double precision, p_uncertainty_ms double precision) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_link lizsync.links;
    v_central_last constant uuid := (p_central_state ->> 'last_sync_id')::uuid;
    v_sync_id constant uuid := gen_random_uuid();
    v_caller constant bigint := pg_current_xact_id()::text::bigint;
    v_transaction_id bigint;
begin
    perform lizsync.commit_durably();
    select l.* into strict v_link from lizsync.links as l
    where l.peer_id = (p_central_state ->> 'server_id')::uuid
    for update;

    if not lizsync.shares_history(
        v_link.peer_id, v_central_last, (p_central_state ->> 'last_sync_transaction_id')::xid8) then
        if (p_central_state ->> 'knows_last_sync_of_clone')::boolean then
            raise exception using
                errcode = 'LZ001',
                message = 'this clone has gone back in time, or it exists twice: the central has synchronised with it since its last sync',
                hint = 'Deploy a package to it; with --new-id if another copy of it is in use.';
        end if;
        raise exception using
            errcode = 'LZ001',
            message = format('the central %s has gone back in time: it does not know the last sync of this clone',
                             p_central_state ->> 'server_name'),
            hint = 'Make a new package of the central and deploy it to the clone.';
    end if;

    update lizsync.links as l
    set last_sync_id = v_central_last, pending_sync_id = v_sync_id
    where l.peer_id = v_link.peer_id
    returning l.xmin::text::bigint into v_transaction_id;

    -- the row's own transaction, which may be a savepoint of the caller's, in 64 bits: it is no older than the caller's
    v_transaction_id := v_caller + ((v_transaction_id - v_caller) & 4294967295);

    return jsonb_build_object(
        'sync_id', v_sync_id,
        'transaction_id', v_transaction_id::text,
        'sequences', lizsync.sequence_states(),
        -- clocks that may be equal, for all that was measured, count as equal: half a round trip must not decide a conflict
        'clock_offset_ms', case when abs(p_clock_offset_ms) <= p_uncertainty_ms then 0 else p_clock_offset_ms end
    );
end
$$;


--
-- Name: FUNCTION begin_sync(p_central_state jsonb, p_clock_offset_ms double precision, p_uncertainty_ms double precision); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.begin_sync(p_central_state jsonb, p_clock_offset_ms double precision, p_uncertainty_ms double precision) IS 'On a clone, checks the answer of lizsync.open_sync against the last sync it knows and notes that a sync begins; returns its id, the transaction that noted it, the state of the sequences, and the clock offset (clone minus central) that counts, out of the measured one and its uncertainty. The sync counts once that transaction has committed.';


--
-- Name: check_compared_columns(text, text, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.check_compared_columns(p_schema_name text, p_table_name text, p_central_columns text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_columns constant text[] := lizsync.compared_columns(p_schema_name, p_table_name);
    v_only_central text;
    v_only_clone text;
begin
    if v_columns = p_central_columns then
        return v_columns;
    end if;
    if v_columns is null or p_central_columns is null then
        raise exception using
            errcode = 'LZ001',
            message = format(
                'the table %I.%I is missing in %s', p_schema_name, p_table_name,
                case
                    when v_columns is not null then 'the central'
                    when p_central_columns is not null then 'the clone'
                    else 'the central and in the clone'
                end
            ),
            detail = 'A table that is there without a column uid of the type uuid counts as missing.',
            hint = 'Create it as it is on the other side, or make a new package of the tables that exist and deploy it.';
    end if;
    select string_agg(quote_ident(c), ', ' order by c) into v_only_central
    from unnest(p_central_columns) as c
    where c <> all (v_columns);
    select string_agg(quote_ident(c), ', ' order by c) into v_only_clone
    from unnest(v_columns) as c
    where c <> all (p_central_columns);
    raise exception using
        errcode = 'LZ001',
        message = format('the table %I.%I has other columns in the central than in the clone', p_schema_name, p_table_name),
        detail = concat_ws('; ', 'only in the central: ' || v_only_central, 'only in the clone: ' || v_only_clone),
        hint = 'Make the same change to the table on both sides, or make a new package and deploy it.';
end
$$;


--
-- Name: FUNCTION check_compared_columns(p_schema_name text, p_table_name text, p_central_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.check_compared_columns(p_schema_name text, p_table_name text, p_central_columns text[]) IS 'Runs in the clone: the columns that both sides compare, by name, given those of the central. LZ001 when the table or some of its columns are on one side only.';


--
-- Name: check_logged_values(uuid, pg_snapshot, jsonb, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.check_logged_values(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
-- A value that was too large for the log can be carried by a later event only: the value became smaller, the row was
-- deleted. Until then the window stays where it is, so that nothing of the row is lost.
declare
    v_row record;
begin
    select r.schema_name, r.table_name, a.uid, string_agg(distinct c.column_name, ', ' order by c.column_name) as columns
    into v_row
    from audit.logged_actions as a
    join audit.logged_relations as r on r.relation_id = a.relation_id
    join lizsync.link_relations as l
        on l.peer_id = p_receiver_id and l.schema_name = r.schema_name and l.table_name = r.table_name
    left join jsonb_to_recordset(p_ahead) as t (schema_name text, table_name text, position pg_snapshot)
        on t.schema_name = r.schema_name and t.table_name = r.table_name
    cross join unnest(a.unlogged_columns) as c (column_name)
    where a.unlogged_columns is not null
      and a.action <> 'D'
      and a.transaction_id >= pg_snapshot_xmin(p_position)
      and not pg_visible_in_snapshot(a.transaction_id, p_position)
      and pg_visible_in_snapshot(a.transaction_id, t.position) is not true
      and a.transaction_id is distinct from pg_current_xact_id_if_assigned()
      and lizsync.names_table(p_tables, r.schema_name, r.table_name)
      and c.column_name <> all (r.excluded_columns)
      and not exists (
          select
          from audit.logged_actions as later
          where later.transaction_id >= pg_snapshot_xmin(p_position)
            and later.transaction_id is distinct from pg_current_xact_id_if_assigned()
            and later.event_id > a.event_id
            and later.relation_id = a.relation_id
            and later.uid = a.uid
            and (later.action = 'D' or "public".exist(later.new_values, c.column_name))
      )
    group by r.schema_name, r.table_name, a.uid
    order by r.schema_name, r.table_name, a.uid
    limit 1;
    if found then
        raise exception using
            errcode = 'LZ001',
            message = format('row %s of %I.%I can''t be carried: too large (%s)', v_row.uid, v_row.schema_name, v_row.table_name, v_row.columns),
            detail = 'All values of a row together may have 500 MB as text, a bytea 250 MB. The row itself is unharmed.',
            hint = format('Make the values smaller or delete the row where they were written, or leave such columns out for good (lizsync '
                'prepare-central --exclude-columns, then a new package). Until then, lizsync sync --tables carries tables other than %I.%I.',
                v_row.schema_name, v_row.table_name),
            schema = v_row.schema_name,
            table = v_row.table_name;
    end if;
    return true;
end
$$;


--
-- Name: FUNCTION check_logged_values(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.check_logged_values(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb) IS 'True when the log has all values that p_receiver_id, which has p_position, has not got. LZ001: some were too large for it.';


--
-- Name: check_peer(uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.check_peer(p_peer_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- Who a clone is follows from the role that connects, not from what it says. The functions that call this run with the
-- rights of lizsync's owner; the session's role is the one that logged in.
begin
    if pg_has_role(session_user, (select n.nspowner from pg_namespace as n where n.nspname = 'lizsync'), 'member')
       or exists (
           select from lizsync.granted_roles as g
           join pg_roles as r on r.rolname = g.role_name
           where g.peer_id = p_peer_id and pg_has_role(session_user, r.oid, 'member')
       ) then
        return true;
    end if;
    raise exception using
        errcode = 'LZ001',
        message = format('role %I may not synchronise %s', session_user,
            coalesce((select l.peer_name from lizsync.links as l where l.peer_id = p_peer_id), p_peer_id::text)),
        hint = format('The owner of the database can allow it: lizsync grant --%s --role %s%s',
            (select m.server_role from lizsync.server_metadata as m), session_user,
            (select ' --name ' || l.peer_name from lizsync.links as l, lizsync.server_metadata as m
             where l.peer_id = p_peer_id and m.server_role = 'central'));
end
$$;


--
-- Name: FUNCTION check_peer(p_peer_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.check_peer(p_peer_id uuid) IS 'True when the role that logged in may synchronise this link: a member of the owner of lizsync, or of a granted role. Else LZ001.';


--
-- Name: check_relation(regclass, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.check_relation(p_relation regclass, p_excluded_columns text[] DEFAULT '{}'::text[]) RETURNS TABLE(problem text, remedy text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- p_excluded_columns: those that are to be excluded, without those that are already.
declare
    v_class pg_class;
    v_schema_name text;
    v_owner text;
    v_uid pg_attribute;
    v_has_null boolean;
begin
    select c.* into v_class from pg_class as c where c.oid = p_relation;
    select n.nspname into v_schema_name from pg_namespace as n where n.oid = v_class.relnamespace;
    v_owner := pg_get_userbyid(v_class.relowner);

    if v_schema_name in ('audit', 'lizsync', 'information_schema') or v_schema_name ~ '^pg_(?!temp|toast_temp)' then
        return query select 'is a table of lizsync or PostgreSQL', 'leave it out';
        return;
    end if;
    if v_class.relkind not in ('r', 'p') then
        return query select
            case v_class.relkind
                when 'v' then 'is a view'
                when 'm' then 'is a materialized view'
                else 'is a foreign table'
            end,
            case v_class.relkind
                when 'f' then 'prepare the table behind it in its own database'
                else 'name the tables that it reads'
            end;
        return;
    end if;
    if v_class.relpersistence <> 'p' then
        return query select
            case v_class.relpersistence when 't' then 'is a temporary table' else 'is an unlogged table' end,
            case v_class.relpersistence
                when 't' then 'leave it out'
                else format('leave it out, or: alter table %s set logged;', p_relation)
            end;
        return;
    end if;
    if v_class.relispartition then
        return query select
            format('is a partition of %s', pg_partition_root(p_relation)),
            format('name %s: it is prepared with its partitions', pg_partition_root(p_relation));
        return;
    end if;

    return query
        select format('belongs to the extension %I', e.extname), 'leave it out'
        from pg_depend as d
        join pg_extension as e on e.oid = d.refobjid
        where d.classid = 'pg_class'::regclass and d.objid = p_relation and d.deptype = 'e';
    return query
        select format('inherits from %s', i.inhparent::regclass), 'use partitions, or separate tables'
        from pg_inherits as i
        where i.inhrelid = p_relation;
    if v_class.relkind = 'r' then
        return query
            select format('%s inherits from it', i.inhrelid::regclass), 'use partitions, or separate tables'
            from pg_inherits as i
            where i.inhparent = p_relation;
    end if;
    return query
        select
            format('its partition %s is %s', p.relid,
                case c.relkind when 'f' then 'a foreign table' else 'an unlogged table' end),
            format('detach it: alter table %s detach partition %s;', p.parentrelid, p.relid)
        from pg_partition_tree(p_relation) as p
        join pg_class as c on c.oid = p.relid
        where c.relkind = 'f' or c.relpersistence <> 'p';
    if not pg_has_role(v_class.relowner, 'usage') then
        return query select
            format('belongs to %I, and %I is no member of that role', v_owner, current_user),
            format('connect as %1$I or a superuser, or: grant %1$I to %2$I;', v_owner, current_user);
    end if;
    return query
        select
            format('%I, which owns lizsync and synchronises, may not read and change it', r.rolname),
            format('grant usage on schema %I to %I; grant select, insert, update, delete on %s to %2$I;',
                v_schema_name, r.rolname, p_relation)
        from pg_class as own
        join pg_roles as r on r.oid = own.relowner
        where own.oid = 'lizsync.server_metadata'::regclass
          and not (
              has_schema_privilege(r.oid, v_class.relnamespace, 'usage')
              and has_table_privilege(r.oid, p_relation, 'select')
              and has_table_privilege(r.oid, p_relation, 'insert')
              and has_table_privilege(r.oid, p_relation, 'update')
              and has_table_privilege(r.oid, p_relation, 'delete')
          );

    select a.* into v_uid
    from pg_attribute as a
    where a.attrelid = p_relation and a.attname = 'uid' and not a.attisdropped;
    if v_uid.attnum is null then
        if v_class.reloftype <> 0 then
            return query select
                format('is of type %s, so no column uid can be added', v_class.reloftype::regtype),
                format('alter table %s not of;', p_relation);
        end if;
    elsif v_uid.atttypid <> 'uuid'::regtype then
        return query select
            format('its column uid is of type %s, not uuid', format_type(v_uid.atttypid, v_uid.atttypmod)),
            format('rename it, so that one can be added: alter table %s rename column uid to old_uid;', p_relation);
    elsif v_uid.attgenerated <> '' then
        return query select
            'its column uid is generated',
            format('rename it, so that one can be added: alter table %s rename column uid to old_uid;', p_relation);
    else
        if not v_uid.attnotnull and has_table_privilege(p_relation, 'select') then
            execute format('select exists (select from %s where uid is null)', p_relation) into v_has_null;
            if v_has_null then
                return query select
                    'its column uid holds nulls',
                    format('update %s set uid = gen_random_uuid() where uid is null;', p_relation);
            end if;
        end if;
        -- partitions that were attached to a prepared table get their index; nobody else is given one unasked, because
        -- it may be that the values are not unique
        return query
            select
                case
                    when p.relation = p_relation then 'its column uid is not unique'
                    else format('the column uid of its partition %s is not unique', p.relation)
                end,
                format('alter table %s add unique (uid);', p.relation)
            from lizsync.partition_tree(p_relation) as p
            where p.is_leaf
              and not lizsync.has_unique_uid(p.relation)
              and not (
                  v_class.relkind = 'p'
                  and exists (
                      select
                      from audit.logged_relations as r
                      where r.schema_name = v_schema_name and r.table_name = v_class.relname
                  )
              );
    end if;

    return query
        select
            case
                when e.column_name = 'uid' then 'its column uid can''t be excluded'
                when a.attnum is null then format('it has no column %I to exclude', e.column_name)
                when key.is_primary then format('its column %I is part of the primary key', e.column_name)
                when key.is_partition_key then format('its column %I is part of the partition key', e.column_name)
                else format('its column %I is not null and has no default', e.column_name)
            end,
            case
                when e.column_name <> 'uid' and a.attnum is null then 'check its name'
                else format('exclude other columns than %I, which a row can''t do without', e.column_name)
            end
        from unnest(p_excluded_columns) as e (column_name)
        left join pg_attribute as a
            on a.attrelid = p_relation and a.attname = e.column_name and a.attnum > 0 and not a.attisdropped
        left join pg_type as t on t.oid = a.atttypid
        cross join lateral (
            select
                exists (
                    select
                    from pg_index as i
                    where i.indrelid = p_relation and i.indisprimary and a.attnum = any (i.indkey)
                ) as is_primary,
                exists (
                    -- how PostgreSQL notes the columns of a partition key, those in expressions too
                    select
                    from pg_depend as d
                    where d.classid = 'pg_class'::regclass and d.objid = p_relation and d.objsubid = a.attnum
                      and d.refclassid = 'pg_class'::regclass and d.refobjid = p_relation and d.refobjsubid = 0
                      and d.deptype = 'i'
                ) as is_partition_key
        ) as key
        where e.column_name = 'uid'
           or a.attnum is null
           or key.is_primary
           or key.is_partition_key
           or (
               (a.attnotnull or t.typnotnull)
               and not a.atthasdef
               and a.attidentity = ''
               and t.typdefault is null
           );
end
$_$;


--
-- Name: FUNCTION check_relation(p_relation regclass, p_excluded_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.check_relation(p_relation regclass, p_excluded_columns text[]) IS 'Says why a table can''t be prepared for synchronisation, and what to do about it. No rows: it can.';


--
-- Name: check_rights(regclass); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.check_rights(p_relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- A right that is missing concerns all rows: it is said once and before anything is applied, rather than held row by row.
declare
    v_missing text;
begin
    select string_agg(wanted.privilege, ', ' order by wanted.position) into v_missing
    from unnest(array['select', 'insert', 'update', 'delete']) with ordinality as wanted (privilege, position)
    where not has_table_privilege(p_relation, wanted.privilege);
    if v_missing is not null then
        raise exception using
            errcode = 'LZ001',
            message = format('permission denied: %I, the owner of lizsync in this database, may not %s rows of %s',
                             current_user, v_missing, p_relation),
            hint = format('grant %s on %s to %I; then synchronise again. Nothing was lost.', v_missing, p_relation, current_user);
    end if;
end
$$;


--
-- Name: FUNCTION check_rights(p_relation regclass); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.check_rights(p_relation regclass) IS 'LZ001, with the GRANT that helps, when the owner of lizsync may not read and write a table.';


--
-- Name: check_same_structure(jsonb, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.check_same_structure(p_clone_columns jsonb, p_central_columns jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_differences text[];
begin
    select array_agg(d.difference order by d.difference) into v_differences
    from (
        select case
            when clone.value is null or clone.value = 'null' then format('%s is missing in the clone', t.table_name)
            when central.value is null or central.value = 'null' then format('%s is missing in the central', t.table_name)
            when c.clone_type is null then format('%s: column %I (%s) is missing in the clone', t.table_name, c.column_name, c.central_type)
            when c.central_type is null then format('%s: column %I (%s) is missing in the central', t.table_name, c.column_name, c.clone_type)
            else format('%s: column %I is %s in the central and %s in the clone', t.table_name, c.column_name, c.central_type, c.clone_type)
        end as difference
        from (select jsonb_object_keys(p_clone_columns || p_central_columns) as table_name) as t
        cross join lateral (select p_clone_columns -> t.table_name) as clone (value)
        cross join lateral (select p_central_columns -> t.table_name) as central (value)
        left join lateral (
            select coalesce(a.key, b.key) as column_name, a.value as clone_type, b.value as central_type
            from jsonb_each_text(case when jsonb_typeof(clone.value) = 'object' then clone.value else '{}' end) as a
            full join jsonb_each_text(case when jsonb_typeof(central.value) = 'object' then central.value else '{}' end) as b on a.key = b.key
            where a.value is distinct from b.value
        ) as c on true
        where clone.value is distinct from central.value
    ) as d;
    if v_differences is not null then
        raise exception using
            errcode = 'LZ001',
            message = 'the structure of central and clone differs; nothing was synchronised',
            detail = array_to_string(v_differences, e'\n'),
            hint = 'Give both the same structure again; or send what the clone has of the other tables (lizsync sync --tables), then '
                   'make a new package of the central and deploy it to the clone.';
    end if;
end
$$;


--
-- Name: FUNCTION check_same_structure(p_clone_columns jsonb, p_central_columns jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.check_same_structure(p_clone_columns jsonb, p_central_columns jsonb) IS 'Compares two lizsync.describe_columns; raises LZ001 naming each table and column that differs.';


--
-- Name: column_checksums(text, text, text[], uuid[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.column_checksums(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[]) RETURNS TABLE(uid uuid, checksums bigint[])
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET row_security TO 'off'
    AS $_$
begin
    return query execute format(
        'select t.uid, array[%s]::bigint[] from %s where t.uid = any ($1)',
        (
            select string_agg(lizsync.value_hash_expression(c.column_name, 0), ', ' order by c.column_number)
            from unnest(p_columns) with ordinality as c (column_name, column_number)
        ),
        lizsync.compared_rows(p_schema_name, p_table_name)
    ) using p_uids;
end
$_$;


--
-- Name: FUNCTION column_checksums(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.column_checksums(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[]) IS 'Checksum of each of the given columns, in their order, of each of the given rows.';


--
-- Name: column_defaults(regclass, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.column_defaults(p_relation regclass, p_columns text[]) RETURNS public.hstore
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_column record;
    v_default text;
    v_values "public".hstore := '';
begin
    for v_column in
        select a.attname, pg_get_expr(d.adbin, d.adrelid) as default_expression
        from pg_attribute as a
        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = p_relation and a.attname = any (p_columns)
    loop
        v_default := null;
        if v_column.default_expression is not null then
            execute format('select case when v is not null then format(''%%s'', v) end from (select %s) as d (v)',
                           v_column.default_expression)
            into v_default;
        end if;
        v_values := v_values operator("public".||) "public".hstore(v_column.attname::text, v_default);
    end loop;
    return v_values;
end
$$;


--
-- Name: FUNCTION column_defaults(p_relation regclass, p_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.column_defaults(p_relation regclass, p_columns text[]) IS 'What the defaults of columns give now, as text.';


--
-- Name: commit_durably(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.commit_durably() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);
    end if;
end
$$;


--
-- Name: FUNCTION commit_durably(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.commit_durably() IS 'Makes the commit of this transaction outlive a crash, whatever the settings: the other side is going to rely on it.';


--
-- Name: compare_tables(text, text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.compare_tables(p_schema_name text DEFAULT NULL::text, p_table_name text DEFAULT NULL::text) RETURNS TABLE(schema_name text, table_name text, uid uuid, kind text, column_names text[])
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_connection constant text := 'lizsync_compare';
    v_table record;
    v_range record;
    v_columns text[];
    v_arguments text;
    v_row_count bigint;
    v_checksum numeric;
    v_range_starts uuid[];
    v_row_counts bigint[];
    v_range_checksums numeric[];
    v_uids uuid[];
    v_row_checksums bigint[];
    v_differing_uids uuid[];
    v_differing_kinds text[];
begin
    perform "public".dblink_connect(v_connection, 'lizsync_central');
    begin
        perform "public".dblink_exec(v_connection, 'begin isolation level repeatable read, read only');
        for v_table in
            select r.schema_name, r.table_name
            from lizsync.compared_relations(
                case when p_table_name is null and p_schema_name is not null then array[p_schema_name] end,
                case when p_table_name is not null then array[p_schema_name] end,
                case when p_table_name is not null then array[p_table_name] end
            ) as r
        loop
            v_arguments := format('%L, %L', v_table.schema_name, v_table.table_name);
            select lizsync.check_compared_columns(v_table.schema_name, v_table.table_name, c.columns) into v_columns
            from "public".dblink(
                v_connection, format('select lizsync.compared_columns(%s)', v_arguments)
            ) as c (columns text[]);
            v_arguments := format('%s, %L::text[]', v_arguments, v_columns);

            select central.row_count, central.checksum into v_row_count, v_checksum
            from "public".dblink(
                v_connection, format('select * from lizsync.table_checksum(%s)', v_arguments)
            ) as central (row_count bigint, checksum numeric);
            continue when exists (
                select
                from lizsync.table_checksum(v_table.schema_name, v_table.table_name, v_columns) as c
                where c.row_count = v_row_count and c.checksum = v_checksum
            );

            select array_agg(central.range_start), array_agg(central.row_count), array_agg(central.checksum)
            into v_range_starts, v_row_counts, v_range_checksums
            from "public".dblink(
                v_connection, format('select * from lizsync.range_checksums(%s, %s)', v_arguments, 1000)
            ) as central (range_start uuid, row_count bigint, checksum numeric);
            for v_range in
                select r.range_start, r.range_end
                from lizsync.find_differing_ranges(
                    v_table.schema_name, v_table.table_name, v_columns, v_range_starts, v_row_counts, v_range_checksums
                ) as r
            loop
                select array_agg(central.uid), array_agg(central.checksum) into v_uids, v_row_checksums
                from "public".dblink(v_connection, format(
                    'select * from lizsync.row_checksums(%s, array[%L]::uuid[], array[%L]::uuid[])',
                    v_arguments, v_range.range_start, v_range.range_end
                )) as central (uid uuid, checksum bigint);

                select array_agg(r.uid), array_agg(r.kind) into v_differing_uids, v_differing_kinds
                from lizsync.find_differing_rows(
                    v_table.schema_name, v_table.table_name, v_columns,
                    array[v_range.range_start], array[v_range.range_end], v_uids, v_row_checksums
                ) as r;

                select array_agg(central.uid), array_agg(central.checksums) into v_uids, v_row_checksums
                from "public".dblink(v_connection, format(
                    'select * from lizsync.column_checksums(%s, %L::uuid[])',
                    v_arguments,
                    array(
                        select d.uid
                        from unnest(v_differing_uids, v_differing_kinds) as d (uid, kind)
                        where d.kind = 'different'
                    )
                )) as central (uid uuid, checksums bigint[]);

                return query
                select v_table.schema_name, v_table.table_name, d.uid, d.kind, coalesce(c.column_names, '{}')
                from unnest(v_differing_uids, v_differing_kinds) as d (uid, kind)
                left join lizsync.find_differing_columns(
                    v_table.schema_name, v_table.table_name, v_columns, v_uids, v_row_checksums
                ) as c on c.uid = d.uid;
            end loop;
        end loop;
    -- a dblink connection outlives the transaction that opened it
    exception when others or query_canceled then
        perform "public".dblink_disconnect(v_connection);
        raise;
    end;
    perform "public".dblink_disconnect(v_connection);
end
$$;


--
-- Name: FUNCTION compare_tables(p_schema_name text, p_table_name text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.compare_tables(p_schema_name text, p_table_name text) IS 'Runs in a clone: the rows of a table, of a schema or of all synchronised tables that differ between the clone and its central: only_central, only_clone, or different with the columns that differ. No rows: they are equal.';


--
-- Name: compared_columns(text, text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.compared_columns(p_schema_name text, p_table_name text) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select lizsync.synchronised_columns(p_schema_name, p_table_name)
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_attribute as a on a.attrelid = c.oid
    where n.nspname = p_schema_name
      and c.relname = p_table_name
      and c.relkind in ('r', 'p')
      and a.attname = 'uid'
      and a.atttypid = 'uuid'::regtype
      and not a.attisdropped
$$;


--
-- Name: FUNCTION compared_columns(p_schema_name text, p_table_name text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.compared_columns(p_schema_name text, p_table_name text) IS 'Columns of a table, by name, whose values a comparison looks at; null: there is no such table with a uid.';


--
-- Name: compared_relations(text[], text[], text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.compared_relations(p_schema_names text[] DEFAULT NULL::text[], p_table_schemas text[] DEFAULT NULL::text[], p_table_names text[] DEFAULT NULL::text[]) RETURNS TABLE(schema_name text, table_name text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_unknown text;
begin
    if not exists (select from lizsync.link_relations) then
        raise exception using
            errcode = 'LZ001',
            message = 'this database is not a clone: it synchronises no tables',
            hint = 'Connect to a clone. A database becomes one by: lizsync deploy ARCHIVE --clone';
    end if;
    select string_agg(wanted.display_name, ', ') into v_unknown
    from (
        select quote_ident(s) as display_name
        from unnest(p_schema_names) as s
        where not exists (select from lizsync.link_relations as r where r.schema_name = s)
        union all
        select concat_ws('.', quote_ident(s), quote_ident(t))
        from unnest(p_table_schemas, p_table_names) as w (s, t)
        where not exists (select from lizsync.link_relations as r where r.schema_name = s and r.table_name = t)
    ) as wanted;
    if v_unknown is not null then
        raise exception using
            errcode = 'LZ002',
            message = 'the clone does not synchronise ' || v_unknown,
            detail = (
                select 'It synchronises '
                    || string_agg(distinct format('%I.%I', r.schema_name, r.table_name), ', ') || '.'
                from lizsync.link_relations as r
            ),
            hint = 'Name tables of the package that the clone was deployed from.';
    end if;
    return query
    select distinct r.schema_name, r.table_name
    from lizsync.link_relations as r
    where p_schema_names is null and p_table_names is null
       or r.schema_name = any (p_schema_names)
       or (r.schema_name, r.table_name) in (select * from unnest(p_table_schemas, p_table_names))
    order by r.schema_name, r.table_name;
end
$$;


--
-- Name: FUNCTION compared_relations(p_schema_names text[], p_table_schemas text[], p_table_names text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.compared_relations(p_schema_names text[], p_table_schemas text[], p_table_names text[]) IS 'Tables that this clone synchronises: of the given schemas and those named one by one, or all when both are null. LZ001 where it is no clone, LZ002 for a name that it does not synchronise.';


--
-- Name: compared_rows(text, text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.compared_rows(p_schema_name text, p_table_name text) RETURNS text
    LANGUAGE sql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- the rows of child tables belong to those, except for a partitioned table, which has none of its own
    select format('%s %I.%I as t', case c.relkind when 'p' then '' else 'only' end, n.nspname, c.relname)
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = p_schema_name and c.relname = p_table_name and c.relkind in ('r', 'p')
$$;


--
-- Name: FUNCTION compared_rows(p_schema_name text, p_table_name text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.compared_rows(p_schema_name text, p_table_name text) IS 'FROM item of a query on the rows of a table, which it calls t; null: there is no such table.';


--
-- Name: confirm_deployment(uuid, uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.confirm_deployment(p_clone_id uuid, p_sync_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
-- The id of the deployment in the clone proves that the clone committed it. Everything that the clone had is replaced by
-- the package then, so nothing of its log before clone_position is wanted here.
declare
    v_deployment record;
begin
    delete from lizsync.deployments as d
    where d.clone_id = p_clone_id and d.sync_id = p_sync_id
    returning d.* into v_deployment;
    if not found then
        return;
    end if;

    insert into lizsync.links as l (
        peer_id, peer_name, peer_system_identifier, peer_database_oid, position, peer_position,
        last_sync_id, last_sync_transaction_id
    )
    select
        v_deployment.clone_id, v_deployment.clone_name, v_deployment.clone_system_identifier,
        v_deployment.clone_database_oid, v_deployment.clone_position, p.snapshot,
        v_deployment.sync_id, v_deployment.clone_transaction_id
    from lizsync.packages as p
    where p.package_id = v_deployment.package_id
    on conflict (peer_id) do update
    set peer_name = excluded.peer_name,
        peer_system_identifier = excluded.peer_system_identifier,
        peer_database_oid = excluded.peer_database_oid,
        position = excluded.position,
        peer_position = excluded.peer_position,
        last_sync_id = excluded.last_sync_id,
        last_sync_transaction_id = excluded.last_sync_transaction_id,
        deployed_at = v_deployment.created_at,
        expired_at = null,
        retired_at = null;

    delete from lizsync.link_relations as r where r.peer_id = p_clone_id;
    insert into lizsync.link_relations (peer_id, schema_name, table_name)
    select p_clone_id, l.schema_name, l.table_name
    from audit.logged_relations as l
    join lizsync.packages as p on p.package_id = v_deployment.package_id
    where format('%I.%I', l.schema_name, l.table_name) = any (p.relations);
end
$$;


--
-- Name: FUNCTION confirm_deployment(p_clone_id uuid, p_sync_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.confirm_deployment(p_clone_id uuid, p_sync_id uuid) IS 'On the central: makes the deployment p_sync_id, if it is waiting, the link of the clone, or changes the link to it.';


--
-- Name: continue_stage(uuid); Type: PROCEDURE; Schema: lizsync; Owner: -
--

CREATE PROCEDURE lizsync.continue_stage(IN p_sync_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The lock of the link ended with the transaction of the part before. Another sync may have begun then, and counts on what
-- it found: nothing is added to that. Or the clone was retired.
begin
    perform set_config('lizsync.sync_id', p_sync_id::text, true);
    perform set_config('statement_timeout', '0', true);
    perform set_config('lock_timeout', '60s', true);
    perform lizsync.check_peer(s.peer_id), lizsync.await_link(s.peer_id)
    from lizsync.stages as s
    where s.sync_id = p_sync_id;
    if not exists (
        select
        from lizsync.stages as s
        join lizsync.links as l on l.peer_id = s.peer_id
        where s.sync_id = p_sync_id and s.complete_below is null and l.retired_at is null
    ) then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link has begun in the meantime, or the link has ended',
            hint = 'Synchronise again when it has finished.';
    end if;
end
$$;


--
-- Name: PROCEDURE continue_stage(IN p_sync_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON PROCEDURE lizsync.continue_stage(IN p_sync_id uuid) IS 'Begins the transaction of the next part of a delivery that is committed part by part: sets what COPY into lizsync.staged_changes needs, and locks the link. LZ004 when another sync of it has begun, or it has ended.';


--
-- Name: current_position(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.current_position() RETURNS pg_snapshot
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- pg_current_snapshot() counts the caller's own transaction as complete. What it has not committed is not delivered, so
-- in a position it is in progress.
declare
    v_snapshot constant pg_snapshot := pg_current_snapshot();
    v_own constant xid8 := pg_current_xact_id_if_assigned();
begin
    if v_own is null or v_own >= pg_snapshot_xmax(v_snapshot) then
        return v_snapshot;
    end if;
    return (
        select format('%s:%s:%s', least(pg_snapshot_xmin(v_snapshot), v_own), pg_snapshot_xmax(v_snapshot),
                      string_agg(in_progress.xid::text, ',' order by in_progress.xid))::pg_snapshot
        from (
            select x as xid from pg_snapshot_xip(v_snapshot) as x
            union
            select v_own
        ) as in_progress
    );
end
$$;


--
-- Name: FUNCTION current_position(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.current_position() IS 'The position that a delivery made now has: everything committed, not the caller''s own transaction.';


--
-- Name: describe_audit(regclass); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.describe_audit(p_relation regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select string_agg(format('%s %s', t.tgenabled, pg_get_triggerdef(t.oid)), e'\n' order by t.tgrelid, t.tgname)
    from lizsync.partition_tree(p_relation) as p
    join pg_trigger as t on t.tgrelid = p.relation
    where t.tgname like 'lizsync\_audit\_%'
$$;


--
-- Name: FUNCTION describe_audit(p_relation regclass); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.describe_audit(p_relation regclass) IS 'The audit triggers of a table and its partitions as text, to see whether they changed; null: it has none.';


--
-- Name: describe_columns(uuid, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.describe_columns(p_peer_id uuid, p_tables text[]) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
    select coalesce(jsonb_object_agg(format('%I.%I', l.schema_name, l.table_name), d.columns), '{}')
    from lizsync.link_relations as l
    left join lateral (
        select jsonb_object_agg(c.column_name, format_type(a.atttypid, a.atttypmod)) as columns
        from unnest(lizsync.synchronised_columns(l.schema_name, l.table_name)) as c (column_name)
        join pg_attribute as a
            on a.attrelid = to_regclass(format('%I.%I', l.schema_name, l.table_name)) and a.attname = c.column_name
    ) as d on true
    where (select lizsync.check_peer(p_peer_id)) and l.peer_id = p_peer_id and format('%I.%I', l.schema_name, l.table_name) = any (p_tables)
$$;


--
-- Name: FUNCTION describe_columns(p_peer_id uuid, p_tables text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.describe_columns(p_peer_id uuid, p_tables text[]) IS 'Synchronised columns and their types of tables of a link; null: the table is missing.';


--
-- Name: describe_server(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.describe_server() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object('server_id', m.server_id, 'server_name', m.server_name, 'server_role', m.server_role)
    from lizsync.server_metadata as m
$$;


--
-- Name: FUNCTION describe_server(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.describe_server() IS 'Id, name and role of this server; null: it is none.';


--
-- Name: digest_part(text, text, uuid, "char", timestamp with time zone, public.hstore, bigint); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.digest_part(p_schema_name text, p_table_name text, p_uid uuid, p_action "char", p_changed_at timestamp with time zone, p_new_values public.hstore, p_event_id bigint) RETURNS numeric
    LANGUAGE sql STABLE
    AS $$
    select hashtextextended(
        row (p_schema_name, p_table_name, p_uid, p_action, p_changed_at, p_new_values, p_event_id)::text collate "C", 0
    )::numeric
$$;


--
-- Name: FUNCTION digest_part(p_schema_name text, p_table_name text, p_uid uuid, p_action "char", p_changed_at timestamp with time zone, p_new_values public.hstore, p_event_id bigint); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.digest_part(p_schema_name text, p_table_name text, p_uid uuid, p_action "char", p_changed_at timestamp with time zone, p_new_values public.hstore, p_event_id bigint) IS 'A number that stands for a part of a delivery, to be summed up on both sides; the sessions must write times alike.';


--
-- Name: discard_held_change(bigint); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.discard_held_change(p_held_id bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET "DateStyle" TO 'ISO, YMD'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    AS $_$
-- The sender has what this server refuses, so the two differ in this row. What this server has wins: it is logged as if it
-- had been written here now, and travels to the sender, and on to all others, like any change made here.
--   row is here, an insert or update was refused:  its values here, of the columns that the change would have written
--   row is here, a delete was refused:             the whole row, which comes back there
--   row is not here:                               its deletion
-- Nothing changes in the table here, so no trigger can log it. A change that somebody made there in the meantime meets this
-- one by the rules for conflicts.
declare
    v_held record;
    v_relation regclass;
    v_relation_id integer;
    v_columns text[];
    v_is_delete boolean;
    v_exists boolean;
    v_row "public".hstore;
    v_values "public".hstore;
    v_action "char";
    v_statement_id bigint;
    v_now constant timestamp with time zone := clock_timestamp();
begin
    select h.*, l.peer_name into v_held
    from lizsync.held_changes as h
    join lizsync.links as l on l.peer_id = h.peer_id
    where h.held_id = p_held_id;
    if not found then
        raise exception using
            errcode = 'LZ002',
            message = format('the server %s holds no change with the number %s',
                             (select m.server_name from lizsync.server_metadata as m), p_held_id),
            hint = 'lizsync held lists them; it may have been applied in the meantime.';
    end if;
    perform lizsync.lock_link(v_held.peer_id);

    v_relation := to_regclass(format('%I.%I', v_held.schema_name, v_held.table_name));
    select r.relation_id into v_relation_id
    from audit.logged_relations as r
    where r.schema_name = v_held.schema_name and r.table_name = v_held.table_name;
    if v_relation is not null and v_relation_id is not null then
        -- a sync that ended just before the link was locked may have applied the change
        perform from lizsync.held_changes as h where h.held_id = p_held_id for update;
        if not found then
            raise exception using
                errcode = 'LZ002',
                message = format('the change with the number %s is not held any more', p_held_id),
                hint = 'lizsync held lists what is.';
        end if;
        select bool_or(p.action = 'D'), array_agg(v.key) into v_is_delete, v_columns
        from lizsync.held_change_parts as p
        left join lateral "public".skeys(p.new_values) as v (key) on true
        where p.held_id = p_held_id;
        v_columns := array(
            select c from unnest(lizsync.synchronised_columns(v_held.schema_name, v_held.table_name)) as c
            where v_is_delete or c = any (v_columns));

        -- in two statements: a writer who changes the row now has either committed, or waits
        execute format('select 1 from %s as t where t.uid = $1 for update', v_relation) using v_held.uid;
        execute format('select "public".hstore(t.*) from %s as t where t.uid = $1', v_relation)
        into v_row
        using v_held.uid;
        v_exists := v_row is not null;

        v_action := case when not v_exists then 'D' when v_is_delete then 'I' else 'U' end;
        v_values := case when v_exists then "public".slice(v_row, v_columns) end;

        if v_exists or not v_is_delete then
            v_statement_id := nextval('audit.logged_statements_statement_id_seq');
            insert into audit.logged_statements (
                statement_id, transaction_id, logged_at, session_user_name, application_name, client_address, client_query
            )
            overriding system value
            values (
                v_statement_id, pg_current_xact_id(), v_now, session_user, current_setting('application_name'),
                inet_client_addr(), left(current_query(), 10000)
            );
            insert into audit.logged_actions (statement_id, changed_at, relation_id, action, uid, new_values)
            values (v_statement_id, v_now, v_relation_id, v_action, v_held.uid, v_values);
        end if;
    end if;

    insert into lizsync.conflicts (
        sync_id, peer_id, schema_name, table_name, uid, kind, winner_server_id, loser_server_id,
        winner_changed_at, loser_changed_at, winning_values, losing_values
    )
    select
        gen_random_uuid(), v_held.peer_id, v_held.schema_name, v_held.table_name, v_held.uid, 'held_discarded',
        lizsync.server_id(), p.origin_server_id, v_now, p.changed_at,
        case when p.action = 'D' then v_values else "public".slice(v_values, "public".akeys(p.new_values)) end,
        p.new_values
    from lizsync.held_change_parts as p
    where p.held_id = p_held_id;

    delete from lizsync.held_changes as h where h.held_id = p_held_id;

    return jsonb_build_object(
        'held_id', p_held_id,
        'peer_name', v_held.peer_name,
        'schema_name', v_held.schema_name,
        'table_name', v_held.table_name,
        'uid', v_held.uid,
        'effect', case v_action when 'D' then 'deletes' when 'I' then 'restores' when 'U' then 'overwrites' end
    );
end
$_$;


--
-- Name: FUNCTION discard_held_change(p_held_id bigint); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.discard_held_change(p_held_id bigint) IS 'Gives a held change up: it is recorded in lizsync.conflicts, and what this server has instead travels to the sender with the next sync. effect: what that does to the row there (deletes, restores, overwrites). LZ002: there is no such change.';


--
-- Name: drop_stages(uuid[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.drop_stages(p_sync_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    delete from lizsync.stages as s where s.sync_id = any (p_sync_ids);
    -- nearly always there is none
    if found then
        delete from lizsync.staged_changes as p where p.sync_id = any (p_sync_ids);
    end if;
end
$$;


--
-- Name: FUNCTION drop_stages(p_sync_ids uuid[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.drop_stages(p_sync_ids uuid[]) IS 'Forgets deliveries that broke off, and what came of them.';


--
-- Name: feeding_sequences(regclass[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.feeding_sequences(p_relations regclass[]) RETURNS TABLE(sequence regclass, columns text[], lowest numeric, highest numeric)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
    -- as lizsync.partition_tree and lizsync.synchronised_columns say, which would take a millisecond for each table
    with
    fed_column as materialized (
        select
            n.nspname as schema_name, root.relname as table_name,
            a.attrelid as relation, a.attnum, a.attname, a.atttypid
        from pg_class as root
        join pg_namespace as n on n.oid = root.relnamespace
        left join audit.logged_relations as l on l.schema_name = n.nspname and l.table_name = root.relname
        left join lateral pg_partition_tree(root.oid) as tree on root.relkind = 'p'
        join pg_attribute as a on a.attrelid = coalesce(tree.relid, root.oid)
        where root.oid = any (p_relations)
          and a.attnum > 0
          and not a.attisdropped
          and a.attgenerated = ''
          and a.attname <> 'uid'
          and a.attname <> all (coalesce(l.excluded_columns, '{}'))
    ),
    feed as (
        select c.schema_name, c.table_name, c.attname, c.atttypid, d.refobjid as sequence_oid
        from fed_column as c
        join pg_attrdef as e on e.adrelid = c.relation and e.adnum = c.attnum
        join pg_depend as d
            on d.classid = 'pg_attrdef'::regclass and d.objid = e.oid and d.refclassid = 'pg_class'::regclass
        union
        -- of an identity column, or owned by the column
        select c.schema_name, c.table_name, c.attname, c.atttypid, d.objid
        from fed_column as c
        join pg_depend as d
            on d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
            and d.refobjid = c.relation and d.refobjsubid = c.attnum and d.deptype in ('a', 'i')
    )
    select
        s.oid::regclass,
        array_agg(distinct format('%I.%I.%I', f.schema_name, f.table_name, f.attname)),
        -- what the sequence may give, and all of its columns hold
        max(greatest(q.seqmin, limits.lowest)),
        min(least(q.seqmax, limits.highest))
    from feed as f
    join pg_class as s on s.oid = f.sequence_oid and s.relkind = 'S'
    join pg_sequence as q on q.seqrelid = s.oid
    cross join lateral (
        select
            case t.base_type when 'smallint'::regtype then -32768 when 'integer'::regtype then -2147483648 end as lowest,
            case t.base_type when 'smallint'::regtype then 32767 when 'integer'::regtype then 2147483647 end as highest
        from (
            select case when t.typtype = 'd' then lizsync.base_type(t.oid) else t.oid end as base_type
            from pg_type as t where t.oid = f.atttypid
        ) as t
    ) as limits
    group by s.oid
    order by s.oid
$$;


--
-- Name: FUNCTION feeding_sequences(p_relations regclass[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.feeding_sequences(p_relations regclass[]) IS 'The sequences from which synchronised columns of these tables, or of their partitions, get their values: by a default, as an identity, or owned by the column. The columns are named after the root of a partitioned table; lowest and highest are what the sequence and all the columns can hold.';


--
-- Name: find_differing_columns(text, text, text[], uuid[], bigint[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.find_differing_columns(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[], p_checksums bigint[]) RETURNS TABLE(uid uuid, column_names text[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        own.uid,
        array(
            select p_columns[c.column_number]
            from generate_subscripts(p_columns, 1) as c (column_number)
            where own.checksums[c.column_number] is distinct from p_checksums[given.row_number][c.column_number]
            order by c.column_number
        )
    from unnest(p_uids) with ordinality as given (uid, row_number)
    join lizsync.column_checksums(p_schema_name, p_table_name, p_columns, p_uids) as own on own.uid = given.uid
    order by own.uid
$$;


--
-- Name: FUNCTION find_differing_columns(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[], p_checksums bigint[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.find_differing_columns(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[], p_checksums bigint[]) IS 'Given the answer of lizsync.column_checksums of the other side, p_checksums with one row for each uid: the columns whose values differ, by row.';


--
-- Name: find_differing_ranges(text, text, text[], uuid[], bigint[], numeric[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.find_differing_ranges(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_row_counts bigint[], p_checksums numeric[]) RETURNS TABLE(range_start uuid, range_end uuid, row_count bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET row_security TO 'off'
    AS $_$
begin
    return query execute format(
        $query$
            with own as (
                -- the start of the first range is null: it is number 0, whatever lies before the second one
                select
                    width_bucket(t.uid, $1[2:]) + 1 as range_number,
                    count(*) as row_count,
                    sum(%s) as checksum
                from %s
                group by 1
            )
            select every.range_start, every.range_end, every.row_count
            from (
                select
                    given.range_number,
                    given.range_start,
                    lead(given.range_start) over (order by given.range_number) as range_end,
                    given.row_count + coalesce(own.row_count, 0) as row_count,
                    given.row_count = coalesce(own.row_count, 0)
                        and given.checksum = coalesce(own.checksum, 0) as is_equal
                from unnest($1, $2, $3) with ordinality as given (range_start, row_count, checksum, range_number)
                left join own on own.range_number = given.range_number
            ) as every
            where not every.is_equal
            order by every.range_number
        $query$,
        lizsync.row_hash_expression(p_columns),
        lizsync.compared_rows(p_schema_name, p_table_name)
    ) using p_range_starts, p_row_counts, p_checksums;
end
$_$;


--
-- Name: FUNCTION find_differing_ranges(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_row_counts bigint[], p_checksums numeric[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.find_differing_ranges(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_row_counts bigint[], p_checksums numeric[]) IS 'Given the answer of lizsync.range_checksums of the other side: the ranges, in order, in which this side has something else, and the number of rows of both sides in them. range_end is the first uid after the range, null: there is none.';


--
-- Name: find_differing_rows(text, text, text[], uuid[], uuid[], uuid[], bigint[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.find_differing_rows(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[], p_uids uuid[], p_checksums bigint[]) RETURNS TABLE(uid uuid, kind text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        coalesce(central.uid, clone.uid) as uid,
        case
            when clone.uid is null then 'only_central'
            when central.uid is null then 'only_clone'
            else 'different'
        end
    from unnest(p_uids, p_checksums) as central (uid, checksum)
    full join lizsync.row_checksums(p_schema_name, p_table_name, p_columns, p_range_starts, p_range_ends) as clone
        on clone.uid = central.uid
    where clone.checksum is distinct from central.checksum
    order by 1
$$;


--
-- Name: FUNCTION find_differing_rows(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[], p_uids uuid[], p_checksums bigint[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.find_differing_rows(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[], p_uids uuid[], p_checksums bigint[]) IS 'Runs in the clone: given the answer of lizsync.row_checksums of the central for the same ranges, the rows that differ: only_central, only_clone or different.';


--
-- Name: find_lost_parent(integer, public.hstore, pg_snapshot, uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.find_lost_parent(p_relation_id integer, p_key_values public.hstore, p_position pg_snapshot, p_sender_id uuid) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
-- Who had seen the loss and refers to the key all the same means another row, which has taken the key over.
declare
    v_columns constant text[] := "public".akeys(p_key_values);
    v_sender_is_clone constant boolean := (select m.server_role = 'central' from lizsync.server_metadata as m);
    v_uid uuid;
begin
    -- a row that had the key here
    select l.uid into v_uid
    from audit.logged_actions as l
    where l.transaction_id >= pg_snapshot_xmin(p_position)
      and not pg_visible_in_snapshot(l.transaction_id, p_position)
      and l.relation_id = p_relation_id
      and l.action in ('D', 'U')
      and "public".slice(l.old_values, v_columns) operator("public".<>) ''
      and p_key_values operator("public".@>) "public".slice(l.old_values, v_columns)
      -- a change that was held does not say any more who sent it, but a clone's is its own, and all others come from the central
      and (p_sender_id is null
           or (l.received_from is distinct from p_sender_id
               and (l.origin_server_id is null or (v_sender_is_clone and l.origin_server_id <> p_sender_id))))
    order by l.event_id desc
    limit 1;
    if found then
        return v_uid;
    end if;

    -- no row ever had: its parent got the key elsewhere, in a change that lost here, and the conflict tells which row it was
    select lost.uid into v_uid
    from (
        select c.uid, c.losing_values, 0::bigint as position
        from pg_temp.lizsync_found_conflicts as c
        join audit.logged_relations as r using (schema_name, table_name)
        left join pg_temp.lizsync_incoming as i on i.row_id = c.row_id
        where r.relation_id = p_relation_id and i.state is distinct from 'h'
        union all
        select c.uid, c.losing_values, - c.conflict_id
        from lizsync.conflicts as c
        join audit.logged_relations as r using (schema_name, table_name)
        where r.relation_id = p_relation_id
    ) as lost
    where "public".slice(lost.losing_values, v_columns) operator("public".<>) ''
      and p_key_values operator("public".@>) "public".slice(lost.losing_values, v_columns)
      -- what it lost against is what the sender had not seen
      and exists (
          select from audit.logged_actions as l
          where l.transaction_id >= pg_snapshot_xmin(p_position)
            and not pg_visible_in_snapshot(l.transaction_id, p_position)
            and l.relation_id = p_relation_id
            and l.uid = lost.uid
      )
    order by lost.position desc
    limit 1;
    return v_uid;
end
$$;


--
-- Name: FUNCTION find_lost_parent(p_relation_id integer, p_key_values public.hstore, p_position pg_snapshot, p_sender_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.find_lost_parent(p_relation_id integer, p_key_values public.hstore, p_position pg_snapshot, p_sender_id uuid) IS 'The row of a table that had a key and has it no more, or got it elsewhere in a change that lost here. Only what was logged outside p_position counts, and not what p_sender_id did (null: whoever did it). Null: no such row.';


--
-- Name: find_orphans(oid, integer, bigint); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.find_orphans(p_constraint_oid oid, p_batch integer, p_after_event_id bigint) RETURNS TABLE(child_uid uuid, child_table regclass, child_ctid tid, key_values public.hstore)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- Foreign keys are not checked by PostgreSQL while changes are applied. A constraint can be broken from two sides: by a
-- child that this batch wrote, or by a parent that it deleted or gave another key.
declare
    v_constraint record;
    v_child_has_uid boolean;
    v_key_comparison text;
    v_child_keys text;
    v_child_touched text;
begin
    select k.* into strict v_constraint from lizsync.foreign_keys(array[p_constraint_oid]) as k;

    v_child_has_uid := exists (
        select from pg_attribute as a
        where a.attrelid = v_constraint.child and a.attname = 'uid' and a.atttypid = 'uuid'::regtype);

    select
        string_agg(format('p.%I %s c.%I', k.parent_column, k.operator, k.child_column), ' and '),
        string_agg(format('c.%I', k.child_column), ', ')
    into v_key_comparison, v_child_keys
    from unnest(v_constraint.parent_columns, v_constraint.child_columns, v_constraint.operators)
        as k (parent_column, child_column, operator);

    v_child_touched := format($sql$
        exists (
            select from pg_temp.lizsync_incoming as i
            where i.relation = %s and i.uid = c.uid and i.batch = %s and i.state = 'a' and i.action <> 'D'
              and (not i.exists_here or "public".exists_any(coalesce(i.remaining_values, i.new_values), %L))
        )$sql$, v_constraint.child::oid, p_batch, v_constraint.child_columns);

    if exists (select from pg_temp.lizsync_incoming as i
               where i.relation = v_constraint.child and i.batch = p_batch and i.state = 'a' and i.action <> 'D') then
        -- a parent that is here must stay until this transaction ends: the lock that PostgreSQL's own check takes
        execute format('select 1 from %s as p where exists (select from %s as c where %s and %s) for key share',
                       v_constraint.parent, v_constraint.child, v_key_comparison, v_child_touched);

        return query execute format($sql$
            select c.uid, c.tableoid::regclass, c.ctid, (select "public".hstore(k.*) from (select %4$s) as k)
            from %1$s as c
            where %2$s and num_nulls(%4$s) = 0 and not exists (select from %3$s as p where %5$s)$sql$,
            v_constraint.child, v_child_touched, v_constraint.parent, v_child_keys, v_key_comparison);
    end if;

    if v_constraint.parent_relation_id is not null
       and exists (select from pg_temp.lizsync_incoming as i
                   where i.relation = v_constraint.parent and i.batch = p_batch and i.state = 'a' and i.exists_here
                     and (i.action = 'D' or "public".exists_any(i.new_values, v_constraint.parent_columns))) then
        return query execute format($sql$
            with gone as materialized (
                select %1$s
                from (
                    select
                        case l.action
                            when 'D' then l.old_values
                            else (select "public".hstore(k.*) from (select %2$s) as k)
                                 operator("public".||) l.old_values
                        end as old_values
                    from audit.logged_actions as l
                    left join %3$s as p on p.uid = l.uid
                    where l.transaction_id = pg_current_xact_id()
                      and l.event_id > $1
                      and l.relation_id = $2
                      and (l.action = 'D' or (l.action = 'U' and "public".exists_any(l.old_values, $3)))
                ) as before
            )
            select %4$s, c.tableoid::regclass, c.ctid, (select "public".hstore(k.*) from (select %5$s) as k)
            from %6$s as c
            where exists (select from gone as p where %7$s)
              and not exists (select from %3$s as p where %7$s)$sql$,
            (
                select string_agg(
                    format('%s as %I', lizsync.value_expression(v_constraint.parent, k.column_name, 'before.old_values'),
                           k.column_name), ', ')
                from unnest(v_constraint.parent_columns) as k (column_name)
            ),
            (select string_agg(format('p.%I', k.column_name), ', ') from unnest(v_constraint.parent_columns) as k (column_name)),
            v_constraint.parent,
            case when v_child_has_uid then 'c.uid' else 'null::uuid' end,
            v_child_keys,
            v_constraint.child,
            v_key_comparison)
        using p_after_event_id, v_constraint.parent_relation_id, v_constraint.parent_columns;
    end if;
end
$_$;


--
-- Name: FUNCTION find_orphans(p_constraint_oid oid, p_batch integer, p_after_event_id bigint); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.find_orphans(p_constraint_oid oid, p_batch integer, p_after_event_id bigint) IS 'Rows that violate a foreign key after a batch was applied, with their key columns; locks the parents of the others.';


--
-- Name: find_relations(text[], text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.find_relations(p_schemas text[], p_tables text[]) RETURNS TABLE(schema_name text, table_name text, relation regclass, problem text, remedy text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- p_tables: pairs of schema and name, as array[['s', 't'], ...].
-- Of a schema: its tables, foreign tables included so that they are refused and not forgotten. Not: views, which hold no
-- rows; tables of extensions; partitions of a table that is found itself.
with wanted_schemas as (
    select distinct s.schema_name, n.oid
    from unnest(p_schemas) as s (schema_name)
    left join pg_namespace as n on n.nspname = s.schema_name
), refused_schemas as (
    select
        s.schema_name,
        case
            when s.schema_name in ('audit', 'lizsync') then 'is the place where lizsync keeps its own tables'
            when s.schema_name ~ '^pg_' or s.schema_name = 'information_schema' then 'is a schema of PostgreSQL'
            when s.oid is null then 'there is no such schema'
            when s.schema_name = 'public' then 'is never taken as a whole'
        end as problem,
        case
            when s.schema_name in ('audit', 'lizsync', 'information_schema') or s.schema_name ~ '^pg_' then
                'its tables can''t be synchronised'
            when s.oid is null then coalesce(
                (
                    select format('did you mean %I? write it with the double quotes', n.nspname)
                    from pg_namespace as n
                    where lower(n.nspname) = lower(s.schema_name)
                    order by n.nspname collate "C"
                    limit 1
                ),
                'check its name'
            )
            when s.schema_name = 'public' then 'name its tables, as in --tables public.parcel'
        end as remedy
    from wanted_schemas as s
), of_schemas as (
    select n.nspname::text as schema_name, c.relname::text as table_name, c.oid::regclass as relation
    from refused_schemas as s
    join pg_namespace as n on n.nspname = s.schema_name
    join pg_class as c on c.relnamespace = n.oid
    where s.problem is null
      and c.relkind in ('r', 'p', 'f')
      and not exists (
          select
          from pg_depend as d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
      )
), named as (
    select distinct p_tables[i][1] as schema_name, p_tables[i][2] as table_name
    from generate_subscripts(p_tables, 1) as i
), found as (
    select
        w.schema_name,
        w.table_name,
        c.oid::regclass as relation,
        case
            when n.oid is null then format('there is no schema %I', w.schema_name)
            when c.oid is null then 'there is no such table'
        end as problem,
        case
            when c.oid is null then coalesce(
                (
                    select format('did you mean %I.%I? write it with the double quotes', n2.nspname, c2.relname)
                    from pg_class as c2
                    join pg_namespace as n2 on n2.oid = c2.relnamespace
                    where lower(n2.nspname) = lower(w.schema_name)
                      and lower(c2.relname) = lower(w.table_name)
                      and c2.relkind in ('r', 'p')
                    order by n2.nspname collate "C", c2.relname collate "C"
                    limit 1
                ),
                'check its name'
            )
        end as remedy
    from named as w
    left join pg_namespace as n on n.nspname = w.schema_name
    left join pg_class as c
        on c.relnamespace = n.oid and c.relname = w.table_name and c.relkind in ('r', 'p', 'v', 'm', 'f')
    union
    select o.schema_name, o.table_name, o.relation, null, null
    from of_schemas as o
), everything as (
    select s.schema_name, null as table_name, null::regclass as relation, s.problem, s.remedy
    from refused_schemas as s
    where s.problem is not null
    union all
    select s.schema_name, null, null, 'has no tables', 'check its name'
    from refused_schemas as s
    where s.problem is null and not exists (select from of_schemas as o where o.schema_name = s.schema_name)
    union all
    select f.schema_name, f.table_name, f.relation, f.problem, f.remedy
    from found as f
    where f.problem is not null
       or not exists (
           -- partitions go with their root, unless they were named themselves: then they are refused
           select
           from found as root
           where root.relation = pg_partition_root(f.relation)
             and root.relation <> f.relation
             and not exists (
                 select
                 from named as w
                 where w.schema_name = f.schema_name and w.table_name = f.table_name
             )
       )
)
select e.schema_name, e.table_name, e.relation, e.problem, e.remedy
from everything as e
order by e.schema_name collate "C", e.table_name collate "C" nulls first
$$;


--
-- Name: FUNCTION find_relations(p_schemas text[], p_tables text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.find_relations(p_schemas text[], p_tables text[]) IS 'Finds the tables of schemas and those that are named, by name; with a problem where there is nothing to take.';


--
-- Name: find_value(text[], bigint, bigint, boolean); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.find_value(p_columns text[], p_lower bigint, p_upper bigint, p_highest boolean) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS $_$
-- One look into an index where a column has one.
declare
    v_column record;
    v_value bigint;
    v_found bigint;
begin
    for v_column in
        select format('%I.%I', i.names[1], i.names[2]) as table_name, format('%I', i.names[3]) as column_name
        from unnest(p_columns) as c (name)
        cross join lateral (select parse_ident(c.name) as names) as i
        join pg_attribute as a
            on a.attrelid = to_regclass(format('%I.%I', i.names[1], i.names[2])) and a.attname = i.names[3]
        where lizsync.base_type(a.atttypid) in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
    loop
        execute format(
            'select %1$s(t.%2$s) from %3$s as t where t.%2$s >= $1 and t.%2$s <= $2',
            case when p_highest then 'max' else 'min' end, v_column.column_name, v_column.table_name)
        into v_value
        using p_lower, p_upper;
        v_found := case when p_highest then greatest(v_found, v_value) else least(v_found, v_value) end;
    end loop;
    return v_found;
end
$_$;


--
-- Name: FUNCTION find_value(p_columns text[], p_lower bigint, p_upper bigint, p_highest boolean); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.find_value(p_columns text[], p_lower bigint, p_upper bigint, p_highest boolean) IS 'The lowest or the highest value from p_lower to p_upper that any of these columns has; null: none. Columns that are no integers are not looked at.';


--
-- Name: finish_sync(uuid, uuid, pg_snapshot, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.finish_sync(p_sync_id uuid, p_clone_id uuid, p_clone_position pg_snapshot, p_pull jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select lizsync.check_peer(p_clone_id);
    select lizsync.commit_durably();

    update lizsync.links as l
    set peer_position = p_clone_position
    where l.peer_id = p_clone_id and l.last_sync_id = p_sync_id;

    update lizsync.history as h
    set finished_at = clock_timestamp(),
        pulled = (p_pull ->> 'rows')::bigint,
        conflicts = h.conflicts + (p_pull ->> 'conflicts')::bigint,
        held = h.held + (p_pull ->> 'held')::bigint
    where h.peer_id = p_clone_id and h.sync_id = p_sync_id and h.finished_at is null;
$$;


--
-- Name: FUNCTION finish_sync(p_sync_id uuid, p_clone_id uuid, p_clone_position pg_snapshot, p_pull jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.finish_sync(p_sync_id uuid, p_clone_id uuid, p_clone_position pg_snapshot, p_pull jsonb) IS 'On the central, notes that the clone has committed the second half of a sync, and what it came to.';


--
-- Name: fold_window(pg_snapshot, jsonb, interval, boolean, uuid, pg_snapshot); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.fold_window(p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_include_own_transaction boolean, p_peer_id uuid, p_seen pg_snapshot DEFAULT NULL::pg_snapshot) RETURNS TABLE(relation_id integer, uid uuid, action "char", received_from uuid, origin_server_id uuid, changed_at timestamp with time zone, corrected_at timestamp with time zone, new_values public.hstore, row_action "char", row_received_from uuid, event_id bigint, is_seen boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_nestloop TO 'off'
    SET enable_mergejoin TO 'off'
    SET work_mem TO '64MB'
    AS $$
-- The window is found by transaction, never by time or event id: transactions commit out of order.
-- Per row the last delete or insert decides whether it lives, per column the last writer's value counts. A row comes as
-- one D, or one part for each writer: one I if it was inserted in the window, U for the others. The key '' stands for
-- the insert itself, so that it has a part even when all its values were written again later.
-- A change was made after what it overwrote, whatever the clocks say: its time is the latest of its column's so far.
-- Most rows have one event, or one that alone counts, which is the result.
-- A row that only the peer wrote is left out. So is what the peer wrote before all others did, which makes no difference to them
-- when their times are not earlier.
with ahead as materialized (
    select r.relation_id, t.position
    from jsonb_to_recordset(p_ahead) as t (schema_name text, table_name text, position pg_snapshot)
    join audit.logged_relations as r using (schema_name, table_name)
), window_events as materialized (
    select
        a.event_id, a.relation_id, a.uid, a.action, a.received_from, a.changed_at, a.new_values,
        coalesce(a.origin_server_id, (select lizsync.server_id())) as origin_server_id,
        coalesce(a.corrected_at, least(a.changed_at, (select clock_timestamp())) + p_clock_shift) as corrected_at,
        a.received_from is distinct from p_peer_id as is_others,
        nullif(pg_visible_in_snapshot(a.transaction_id, p_seen), false) as is_seen
    from audit.logged_actions as a
    left join ahead as t on t.relation_id = a.relation_id
    where a.transaction_id >= pg_snapshot_xmin(p_position)
      and not pg_visible_in_snapshot(a.transaction_id, p_position)
      and pg_visible_in_snapshot(a.transaction_id, t.position) is not true
      and (p_include_own_transaction or a.transaction_id is distinct from pg_current_xact_id_if_assigned())
), several as materialized (
    select
        w.relation_id, w.uid, w.event_id, w.is_seen, w.row_event_id,
        greatest(w.row_event_id, case when w.peer_was_first then w.other_event_id end) as first_event_id
    from (
        select
            e.relation_id, e.uid, max(e.event_id) as event_id,
            case when bool_or(e.is_seen) then count(e.is_seen) = count(*) end as is_seen,
            max(e.event_id) filter (where e.action in ('I', 'D')) as row_event_id,
            min(e.event_id) filter (where e.is_others) as other_event_id,
            max(e.event_id) filter (where not e.is_others) < min(e.event_id) filter (where e.is_others)
                and max(e.corrected_at) filter (where not e.is_others) <= min(e.corrected_at) filter (where e.is_others)
                as peer_was_first
        from window_events as e
        group by e.relation_id, e.uid
        having count(*) > 1 and bool_or(e.is_others)
    ) as w
), several_events as materialized (
    select
        e.*,
        lizsync.merge_values(k.null_values) over (later rows between unbounded preceding and 1 preceding) as written_later,
        e.corrected_at < lead(e.corrected_at) over later as is_set_back
    from window_events as e
    join several as s on s.relation_id = e.relation_id and s.uid = e.uid
    cross join lateral (select "public".akeys(e.new_values) as columns) as v
    cross join lateral (
        select "public".hstore(v.columns, array_fill(null::text, array[cardinality(v.columns)])) as null_values
    ) as k
    where e.event_id >= coalesce(s.first_event_id, 0)
      and s.first_event_id is distinct from s.event_id
    window later as (partition by e.relation_id, e.uid order by e.event_id desc)
), set_back as materialized (
    select distinct e.relation_id, e.uid from several_events as e where e.is_set_back
), last_writers as (
    select distinct on (e.relation_id, e.uid, v.key)
        e.relation_id, e.uid, v.key, v.value, e.received_from, e.origin_server_id, e.changed_at,
        max(e.corrected_at) over (partition by e.relation_id, e.uid, v.key) as corrected_at
    from several_events as e
    join set_back as b on b.relation_id = e.relation_id and b.uid = e.uid
    cross join lateral (
        select pair.key, pair.value from "public".each(e.new_values) as pair
        union all
        select '', null where e.action = 'I'
    ) as v
    where e.action <> 'D'
    order by e.relation_id, e.uid, v.key, e.event_id desc
), parts as (
    -- times that never went back are the latest of every column: what an event wrote and no later one did
    select
        e.relation_id, e.uid, e.action, e.received_from, e.origin_server_id, e.changed_at, e.corrected_at, r.new_values
    from several_events as e
    left join set_back as b on b.relation_id = e.relation_id and b.uid = e.uid
    cross join lateral (
        select e.new_values operator("public".-)
               coalesce("public".akeys(e.written_later), '{}') as new_values
    ) as r
    where b.uid is null
      and (e.action = 'I' or (e.action = 'U' and r.new_values operator("public".<>) ''))
    union all
    select
        w.relation_id, w.uid,
        (case when bool_or(w.key = '') then 'I' else 'U' end)::"char" as action,
        w.received_from, w.origin_server_id, w.changed_at, w.corrected_at,
        "public".delete(
            "public".hstore(array_agg(w.key), array_agg(w.value)), ''::text
        ) as new_values
    from last_writers as w
    group by w.relation_id, w.uid, w.received_from, w.origin_server_id, w.changed_at, w.corrected_at
)
select
    e.relation_id, e.uid, e.action, e.received_from, e.origin_server_id, e.changed_at, e.corrected_at, e.new_values,
    e.action as row_action, e.received_from as row_received_from, e.event_id,
    case when s.uid is null then e.is_seen else s.is_seen end as is_seen
from window_events as e
left join several as s on s.relation_id = e.relation_id and s.uid = e.uid
where case when s.uid is null then e.is_others else e.event_id = s.first_event_id and e.event_id = s.event_id end
union all
select
    e.relation_id, e.uid, e.action, e.received_from, e.origin_server_id, e.changed_at, e.corrected_at, e.new_values,
    e.action, e.received_from, s.event_id, s.is_seen
from several_events as e
join several as s on s.row_event_id = e.event_id
where e.action = 'D'
union all
select
    p.relation_id, p.uid, p.action, p.received_from, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values,
    row_part.action, row_part.received_from, s.event_id, s.is_seen
from parts as p
join several as s on s.relation_id = p.relation_id and s.uid = p.uid
left join parts as row_part
    on row_part.relation_id = p.relation_id and row_part.uid = p.uid and row_part.action = 'I'
$$;


--
-- Name: FUNCTION fold_window(p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_include_own_transaction boolean, p_peer_id uuid, p_seen pg_snapshot); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.fold_window(p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_include_own_transaction boolean, p_peer_id uuid, p_seen pg_snapshot) IS 'Net effect of the events of this server outside p_position and, for tables of p_ahead, outside theirs; what p_peer_id wrote is left out where nothing depends on it. p_clock_shift is added to times of this clock to get the central''s. new_values is null for D; row_action and row_received_from are those of the I or D that made the row live or die; event_id is its last event; is_seen says whether p_seen has all of its events (true), some (false) or none (null).';


--
-- Name: foreign_keys(oid[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.foreign_keys(p_constraint_oids oid[]) RETURNS TABLE(constraint_oid oid, constraint_name name, child regclass, child_schema name, child_table name, child_relation_id integer, child_columns text[], parent regclass, parent_schema name, parent_table name, parent_relation_id integer, parent_columns text[], operators text[], on_delete "char", on_update "char", delete_set_columns text[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;


--
-- Name: FUNCTION foreign_keys(p_constraint_oids oid[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.foreign_keys(p_constraint_oids oid[]) IS 'What foreign keys are; relation ids are null for tables that are not audited, delete_set_columns where ON DELETE SET NULL (columns) does not name any (before PostgreSQL 15 it can''t).';


--
-- Name: get_clone_state(text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.get_clone_state(p_tables text[] DEFAULT NULL::text[]) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_state jsonb;
begin
    if (select m.server_role from lizsync.server_metadata as m) is distinct from 'clone'
       or not exists (select from lizsync.links) then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is no clone of a central', current_database()),
            hint = 'Deploy a package to it (lizsync deploy), or name another database as the clone.';
    end if;
    select jsonb_build_object(
        'server_id', m.server_id,
        'server_name', m.server_name,
        'incarnation', lizsync.incarnation(),
        'former_incarnations', m.former_incarnations,
        'schema_version', (select max(g.migration_number) from lizsync.migrations as g),
        'central_id', l.peer_id,
        'position', l.position,
        'ahead', lizsync.ahead_positions(l.peer_id),
        'tables', t.tables,
        'last_sync_id', l.last_sync_id,
        'pending_sync_id', l.pending_sync_id,
        'current_position', pg_current_snapshot(),
        'fingerprints', lizsync.relation_fingerprints(l.peer_id, t.tables),
        'clock', extract(epoch from clock_timestamp())
    )
    into strict v_state
    from lizsync.server_metadata as m
    cross join lizsync.links as l
    cross join lizsync.parse_tables(l.peer_id, p_tables) as t (tables);

    if v_state -> 'incarnation' <> (
        select lizsync.incarnation_of(m.system_identifier, m.database_oid)
        from lizsync.server_metadata as m
    ) then
        raise exception using
            errcode = 'LZ001',
            message = format('the clone %I is a copy: it was made in another database or server', current_database()),
            detail = 'A copied or restored clone cannot go on where the original is: each would miss what the other received.',
            hint = 'Synchronise the original. If this one was moved here (pg_upgrade) and takes its place: lizsync upgrade --clone --moved. '
                   'If both are to be used: deploy a package here with --new-id.';
    end if;
    perform lizsync.lock_link((v_state ->> 'central_id')::uuid);
    perform lizsync.adopt_partitions();
    return v_state || jsonb_build_object(
        'stage', lizsync.offer_stage((v_state ->> 'central_id')::uuid, v_state -> 'ahead', nullif(v_state -> 'tables', 'null')));
end
$$;


--
-- Name: FUNCTION get_clone_state(p_tables text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.get_clone_state(p_tables text[]) IS 'On a clone, begins a sync: locks the link and returns what the central needs to know. p_tables: only these, named as in SQL; null: all. LZ002 when this is no clone, LZ001 when it is a copy, LZ004 when a sync is running.';


--
-- Name: get_last_sync(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.get_last_sync() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'sync_id', h.sync_id,
        'held', h.held,
        'clock_offset_ms', round(extract(epoch from h.clock_offset) * 1000)
    )
    from lizsync.links as l
    join lizsync.history as h on h.peer_id = l.peer_id and h.sync_id = l.last_sync_id
    where lizsync.check_peer(l.peer_id)
$$;


--
-- Name: FUNCTION get_last_sync(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.get_last_sync() IS 'On a clone, what its history says about its last sync.';


--
-- Name: grant_synchronisation(text, text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.grant_synchronisation(p_role_name text, p_peer_name text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_peer record;
begin
    if not exists (select from pg_roles as r where r.rolname = p_role_name) then
        raise exception using
            errcode = 'LZ002',
            message = format('role %I does not exist', p_role_name),
            hint = format('Create it: create role %I login password ...', p_role_name);
    end if;
    select l.peer_id, l.peer_name into v_peer
    from lizsync.links as l
    where (p_peer_name is null or l.peer_name = p_peer_name) and l.retired_at is null
    order by l.created_at
    limit 1;
    if not found then
        raise exception using
            errcode = 'LZ002',
            message = coalesce(format('there is no clone named %s', p_peer_name), 'this server has no link yet'),
            detail = (select 'clones: ' || string_agg(l.peer_name, ', ' order by l.peer_name) from lizsync.links as l),
            hint = 'Deploy a package to the clone first.';
    end if;
    if p_peer_name is null and (select count(*) from lizsync.links as l where l.retired_at is null) > 1 then
        raise exception using
            errcode = 'LZ002',
            message = 'this central has several clones: say which one the role may synchronise',
            detail = (select 'clones: ' || string_agg(l.peer_name, ', ' order by l.peer_name) from lizsync.links as l),
            hint = 'Name it with --name.';
    end if;
    insert into lizsync.granted_roles (role_name, peer_id) values (p_role_name, v_peer.peer_id) on conflict do nothing;
    perform lizsync.renew_grants();
    return v_peer.peer_name;
end
$$;


--
-- Name: FUNCTION grant_synchronisation(p_role_name text, p_peer_name text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.grant_synchronisation(p_role_name text, p_peer_name text) IS 'Lets a role synchronise one link (p_peer_name may be null when there is only one) and nothing else; returns the name of the other server.';


--
-- Name: guard_range(regclass, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.guard_range(p_table regclass, p_unlogged_columns text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- Statement triggers fire for the table that the statement names, so partitions need it, too.
declare
    v_sequences text;
begin
    if exists (select from lizsync.server_metadata as m where m.server_role = 'clone') then
        select string_agg(format('%L', format('%I.%I', n.nspname, c.relname)), ', ' order by s.sequence) into v_sequences
        from lizsync.feeding_sequences(array[p_table]) as s
        join pg_class as c on c.oid = s.sequence
        join pg_namespace as n on n.oid = c.relnamespace
        where exists (
            select from unnest(s.columns) as f (name)
            where (parse_ident(f.name))[3] <> all (coalesce(p_unlogged_columns, '{}'))
        );
    end if;
    if v_sequences is not null then
        execute format(
            'create or replace trigger lizsync_audit_range before insert on %s for each statement '
                'execute function lizsync.warn_of_used_range(%s)',
            p_table, v_sequences);
    elsif exists (select from pg_trigger as t where t.tgrelid = p_table and t.tgname = 'lizsync_audit_range') then
        execute format('drop trigger lizsync_audit_range on %s', p_table);
    end if;
end
$$;


--
-- Name: FUNCTION guard_range(p_table regclass, p_unlogged_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.guard_range(p_table regclass, p_unlogged_columns text[]) IS 'On a clone, makes the trigger that warns when a sequence that feeds columns of a table has no number left, if there is such a sequence.';


--
-- Name: guard_sequence(regclass, integer, numeric, numeric, numeric); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.guard_sequence(p_sequence regclass, p_sequence_id integer, p_end numeric, p_new_first numeric, INOUT drawn numeric, OUT refusal text, OUT hint text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The definition of a sequence of the central stays as it is while it would take half a billion numbers to get to the
-- ranges of clones; this is looked at again with every sync. A smallint begins closer. When there are more numbers behind a
-- range than in front of it, because somebody gave the columns a larger type, the sequence goes on there.
declare
    v_lock_timeout constant text := current_setting('lock_timeout');
    v_sign numeric;
    v_step numeric;
    v_start numeric;
    v_bound numeric;
    v_barrier numeric;
    v_behind numeric;
    v_room numeric;
    v_drawn numeric;
begin
    select
        sign(q.seqincrement), abs(q.seqincrement), sign(q.seqincrement) * q.seqstart,
        case when q.seqincrement > 0 then q.seqmax else - q.seqmin::numeric end
    into v_sign, v_step, v_start, v_bound
    from pg_sequence as q
    where q.seqrelid = p_sequence;
    select least(p_new_first, min(f.first)), (array_agg(f.last order by f.room desc))[1], max(f.room)
    into v_barrier, v_behind, v_room
    from (
        select r.first, r.last, lead(r.first, 1, p_end + 1) over (order by r.first) - r.last as room
        from (
            select least(v_sign * r.lower_value, v_sign * r.upper_value) as first,
                   greatest(v_sign * r.lower_value, v_sign * r.upper_value) as last
            from lizsync.sequence_ranges as r
            where r.sequence_id = p_sequence_id and r.clone_id is not null
        ) as r
        where r.first > drawn
    ) as f;
    if v_barrier is null or (v_barrier - drawn) / v_step >= 536870912 or v_bound < v_barrier then
        return;
    end if;
    v_behind := v_behind + 1;
    v_behind := v_behind + mod(mod(v_start - v_behind, v_step) + v_step, v_step);
    -- before any sequence is locked, as lizsync.allot_range does it
    lock table lizsync.sequences in exclusive mode;
    begin
        if p_new_first is null and v_room > v_barrier - drawn then
            -- somebody else may just have done it, and setval is seen at once
            v_drawn := v_sign * lizsync.last_number(p_sequence);
            if v_drawn <= drawn then
                perform setval(p_sequence, (v_sign * v_behind)::bigint, false);
                v_drawn := v_behind;
            end if;
            drawn := coalesce(v_drawn, drawn);
            return;
        end if;
        -- the lock waits for every transaction that has drawn a number, and others that draw wait behind it
        perform set_config('lock_timeout', '2s', true);
        execute format('alter sequence %s %s %s', p_sequence,
            case when v_sign > 0 then 'maxvalue' else 'minvalue' end, (v_sign * (v_barrier - 1))::bigint);
    exception
        when insufficient_privilege then
            refusal := format('the sequence %s of the central cannot be kept out of the numbers of clones: %s', p_sequence, sqlerrm);
            hint := format('Let its owner run in the central: alter sequence %s owner to %I', p_sequence, current_user);
        when lock_not_available then
            refusal := format('the sequence %s of the central cannot be kept out of the numbers of clones now: a long transaction uses it',
                              p_sequence);
            hint := 'The next sync tries again.';
        when invalid_parameter_value then
            refusal := format('the sequence %s of the central cannot be kept out of the numbers of clones: %s', p_sequence, sqlerrm);
            hint := format('Let its start be in front of its last value: alter sequence %s start with ...', p_sequence);
    end;
    perform set_config('lock_timeout', v_lock_timeout, true);
end
$$;


--
-- Name: FUNCTION guard_sequence(p_sequence regclass, p_sequence_id integer, p_end numeric, p_new_first numeric, INOUT drawn numeric, OUT refusal text, OUT hint text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.guard_sequence(p_sequence regclass, p_sequence_id integer, p_end numeric, p_new_first numeric, INOUT drawn numeric, OUT refusal text, OUT hint text) IS 'On the central, keeps a sequence that has drawn so far from the ranges of clones, one of which is about to begin at p_new_first (null: none), by its maxvalue or minvalue when they are near. p_end: the last number that it and its columns can have. All negated where it counts down. Returns how far it has drawn then, and why it could not be kept out (null: it is).';


--
-- Name: has_events(pg_snapshot, uuid, boolean); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.has_events(p_position pg_snapshot, p_peer_id uuid, p_include_own_transaction boolean) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
    select exists (
        select
        from audit.logged_actions as a
        where a.transaction_id >= pg_snapshot_xmin(p_position)
          and not pg_visible_in_snapshot(a.transaction_id, p_position)
          and a.received_from is distinct from p_peer_id
          and (p_include_own_transaction or a.transaction_id is distinct from pg_current_xact_id_if_assigned())
    )
$$;


--
-- Name: FUNCTION has_events(p_position pg_snapshot, p_peer_id uuid, p_include_own_transaction boolean); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.has_events(p_position pg_snapshot, p_peer_id uuid, p_include_own_transaction boolean) IS 'Whether this server has events outside p_position that did not come from p_peer_id; of those that did nothing is left when they are folded.';


--
-- Name: has_many_events(pg_snapshot); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.has_many_events(p_position pg_snapshot) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
    select count(*) = 1000 or sum(e.bytes) >= 250000
    from (
        select pg_column_size(a.new_values) as bytes
        from audit.logged_actions as a
        where a.transaction_id >= pg_snapshot_xmin(p_position)
          and not pg_visible_in_snapshot(a.transaction_id, p_position)
        limit 1000
    ) as e
$$;


--
-- Name: FUNCTION has_many_events(p_position pg_snapshot); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.has_many_events(p_position pg_snapshot) IS 'Whether the events of this server outside p_position are so many, or so large, that sending them twice costs something on a bad line.';


--
-- Name: has_rewriting_triggers(regclass); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.has_rewriting_triggers(p_relation regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from pg_trigger as t
        where t.tgrelid in (select p_relation union select p.relid from pg_partition_tree(p_relation) as p)
          and not t.tgisinternal
          and t.tgenabled in ('A', 'R')
          and t.tgtype & 3 = 3  -- for each row, before
          and t.tgname not like 'lizsync\_audit\_%'
    )
$$;


--
-- Name: FUNCTION has_rewriting_triggers(p_relation regclass); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.has_rewriting_triggers(p_relation regclass) IS 'Whether a table has triggers that may change rows while synchronisation writes them: BEFORE ... FOR EACH ROW, ENABLE ALWAYS or REPLICA.';


--
-- Name: has_unique_uid(regclass); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.has_unique_uid(p_relation regclass) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from pg_index as i
        join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = p_relation
          and a.attname = 'uid'
          and i.indnkeyatts = 1
          and i.indisunique
          and i.indimmediate
          and i.indisvalid
          and i.indpred is null
    )
$$;


--
-- Name: FUNCTION has_unique_uid(p_relation regclass); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.has_unique_uid(p_relation regclass) IS 'Whether a constraint or index makes the column uid of a table unique at any moment.';


--
-- Name: incarnation(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.incarnation() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select lizsync.incarnation_of(c.system_identifier, d.oid)
    from pg_control_system() as c
    cross join pg_database as d
    where d.datname = current_database()
$$;


--
-- Name: FUNCTION incarnation(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.incarnation() IS 'Which physical database this is: a dump restored elsewhere and a copy have others, and positions mean nothing there.';


--
-- Name: incarnation_of(bigint, oid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.incarnation_of(p_system_identifier bigint, p_database_oid oid) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- as text: numbers of 64 bits lose digits on their way through JavaScript
    select jsonb_build_object('system_identifier', p_system_identifier::text, 'database_oid', p_database_oid::text)
$$;


--
-- Name: FUNCTION incarnation_of(p_system_identifier bigint, p_database_oid oid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.incarnation_of(p_system_identifier bigint, p_database_oid oid) IS 'A physical database by its ids, in the form of lizsync.incarnation().';


--
-- Name: incoming_relations(integer); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.incoming_relations(p_batch integer) RETURNS TABLE(relation regclass, first_row integer, last_row integer)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return query
    select r.relation, r.first_row, r.last_row
    from pg_temp.lizsync_incoming_relations as r
    where r.batch = p_batch
    order by r.schema_name, r.table_name;
end
$$;


--
-- Name: FUNCTION incoming_relations(p_batch integer); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.incoming_relations(p_batch integer) IS 'The tables of a batch of lizsync_incoming, in the order of its rows: those of a table stand together, from first_row to last_row.';


--
-- Name: is_news(integer, uuid, text[], pg_snapshot, uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.is_news(p_relation_id integer, p_uid uuid, p_columns text[], p_position pg_snapshot, p_peer_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
    select exists (
        select from audit.logged_actions as l
        where l.transaction_id >= pg_snapshot_xmin(p_position)
          and not pg_visible_in_snapshot(l.transaction_id, p_position)
          and l.relation_id = p_relation_id
          and l.uid = p_uid
          and l.action in ('I', 'U')
          and "public".exists_any(l.new_values, p_columns)
          and l.received_from is distinct from p_peer_id
    )
$$;


--
-- Name: FUNCTION is_news(p_relation_id integer, p_uid uuid, p_columns text[], p_position pg_snapshot, p_peer_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.is_news(p_relation_id integer, p_uid uuid, p_columns text[], p_position pg_snapshot, p_peer_id uuid) IS 'Whether some of the columns of a row were written here, by anybody but a peer, since that peer was at p_position.';


--
-- Name: is_row_error(text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.is_row_error(p_sqlstate text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- data exceptions, constraint violations, what a trigger raised, unknown objects or types named in a value: another
    -- row may well pass. Everything else (deadlock, cancel, disk full, shutdown, ...) is no matter of one row.
    select left(p_sqlstate, 2) in ('21', '22', '23', '27', '2F', '38', '39', '42', '44', 'P0', 'LZ')
$$;


--
-- Name: FUNCTION is_row_error(p_sqlstate text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.is_row_error(p_sqlstate text) IS 'Whether an error of this SQLSTATE is due to the row that was written.';


--
-- Name: is_valid_reference(oid, public.hstore); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.is_valid_reference(p_constraint_oid oid, p_values public.hstore) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    v_constraint record;
    v_exists boolean;
begin
    if exists (
        select from pg_constraint as c
        join pg_attribute as a on a.attrelid = c.conrelid
        where c.oid = p_constraint_oid and a.attnotnull
          and "public".exist(p_values, a.attname::text)
          and not "public".defined(p_values, a.attname::text)
    ) then
        return false;
    end if;
    select k.* into strict v_constraint from lizsync.foreign_keys(array[p_constraint_oid]) as k;
    if exists (
        select from "public".each("public".slice(p_values, v_constraint.child_columns)) as v
        where v.value is null
    ) then
        return true;
    end if;
    execute format('select exists (select from %s as p where %s)', v_constraint.parent,
        (select string_agg(format('p.%I %s %s', k.parent_column, k.operator,
                                  lizsync.value_expression(v_constraint.child, k.child_column, '$1')), ' and ')
         from unnest(v_constraint.parent_columns, v_constraint.child_columns, v_constraint.operators)
             as k (parent_column, child_column, operator)))
    into v_exists
    using p_values;
    return v_exists;
end
$_$;


--
-- Name: FUNCTION is_valid_reference(p_constraint_oid oid, p_values public.hstore); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.is_valid_reference(p_constraint_oid oid, p_values public.hstore) IS 'Whether the child of a foreign key may have these key values: null where that is allowed, or those of a parent that is there.';


--
-- Name: keep_stage(uuid, uuid, pg_snapshot, jsonb, jsonb, pg_snapshot, uuid); Type: PROCEDURE; Schema: lizsync; Owner: -
--

CREATE PROCEDURE lizsync.keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- When the link is not at p_from any more, lizsync.continue_stage says so.
begin
    perform lizsync.check_peer(p_sender_id);
    perform lizsync.await_link(p_sender_id);
    perform lizsync.drop_stages(array(
        select s.sync_id from lizsync.stages as s
        where s.peer_id = p_sender_id and s.sync_id is distinct from p_resumed_sync_id
    ));
    insert into lizsync.stages (sync_id, peer_id, from_position, ahead, tables, to_position)
    select p_sync_id, l.peer_id, l.position, p_ahead, p_tables, p_to
    from lizsync.links as l
    where l.peer_id = p_sender_id and l.position::text = p_from::text;
end
$$;


--
-- Name: PROCEDURE keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON PROCEDURE lizsync.keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid) IS 'Says that a delivery is going to be committed part by part, so that the next sync can go on from what came of it; p_resumed_sync_id: the one that it goes on from itself.';


--
-- Name: known_sequence(regclass, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.known_sequence(p_sequence regclass, p_columns text[]) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select s.sequence_id
    from lizsync.sequences as s
    where s.sequence = p_sequence
       -- one that is gone, and fed the same columns
       or s.columns && p_columns and not exists (select from pg_sequence as q where q.seqrelid = s.sequence)
    order by (s.sequence = p_sequence) desc, s.sequence_id
    limit 1
$$;


--
-- Name: FUNCTION known_sequence(p_sequence regclass, p_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.known_sequence(p_sequence regclass, p_columns text[]) IS 'The row of lizsync.sequences of a sequence that feeds these columns; null: no clone has had a range of it.';


--
-- Name: last_number(regclass); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.last_number(p_sequence regclass) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- pg_sequence_last_value would lock the sequence as nextval does, until the transaction ends: who has to alter it would wait.
declare
    v_value bigint;
begin
    execute format('select s.last_value from %s as s', p_sequence) into v_value;
    return v_value;
exception when insufficient_privilege then
    return null;
end
$$;


--
-- Name: FUNCTION last_number(p_sequence regclass); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.last_number(p_sequence regclass) IS 'The last number that a sequence gave, or the one that it begins with; null: the owner of lizsync may not read it.';


--
-- Name: list_held_changes(uuid, integer); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.list_held_changes(p_peer_id uuid, p_value_length integer) RETURNS TABLE(held_id bigint, peer_id uuid, peer_name text, schema_name text, table_name text, uid uuid, action text, sqlstate text, message text, held_since timestamp with time zone, last_tried_at timestamp with time zone, parts jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
-- Values are texts and can be as long as PostgreSQL allows: who shows them says how much of each is wanted.
select
    h.held_id, h.peer_id, l.peer_name, h.schema_name, h.table_name, h.uid,
    case when p.is_delete then 'delete' when p.is_insert then 'insert' else 'update' end,
    h.sqlstate, h.message, h.held_since, h.last_tried_at, p.parts
from lizsync.held_changes as h
join lizsync.links as l on l.peer_id = h.peer_id
cross join lateral (
    select
        bool_or(w.action = 'D') as is_delete,
        bool_or(w.action = 'I') as is_insert,
        jsonb_agg(
            jsonb_build_object(
                'origin_server_id', w.origin_server_id,
                'changed_at', w.changed_at,
                'values', (
                    select coalesce(jsonb_agg(
                        jsonb_build_object(
                            'column', v.key,
                            'value', left(v.value, p_value_length),
                            'is_shortened', length(v.value) > p_value_length is true
                        ) order by v.key collate "C"), '[]')
                    from "public".each(w.new_values) as v
                )
            ) order by w.action = 'U', w.changed_at
        ) as parts
    from lizsync.held_change_parts as w
    where w.held_id = h.held_id
) as p
where (p_peer_id is null or h.peer_id = p_peer_id) and lizsync.check_peer(h.peer_id)
order by h.held_id
$$;


--
-- Name: FUNCTION list_held_changes(p_peer_id uuid, p_value_length integer); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.list_held_changes(p_peer_id uuid, p_value_length integer) IS 'Changes of a server (null: of any) that this one could not apply: why, since when, and what each writer wanted, the first p_value_length characters of each value. LZ001 when the caller may not synchronise with a server that sent one.';


--
-- Name: lock_link(uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.lock_link(p_peer_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The friendly lock, until the end of the transaction; the row lock in lizsync.apply_changes is the fence.
begin
    perform lizsync.check_peer(p_peer_id);
    if not pg_try_advisory_xact_lock(hashtextextended('lizsync link ' || p_peer_id, 0)) then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link is running',
            hint = 'Wait until it has finished.';
    end if;
end
$$;


--
-- Name: FUNCTION lock_link(p_peer_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.lock_link(p_peer_id uuid) IS 'Locks a link until the transaction ends, or raises LZ004 at once; LZ001 when the caller may not synchronise it.';


--
-- Name: lock_rows(regclass, integer, integer, boolean); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.lock_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_skip_locked boolean) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $_$
-- In the order of uid, as every sync does it, so that two of them wait for each other instead of deadlocking. Only a
-- delete needs the strongest lock; the weaker one lets users go on adding children to the row.
-- A change says whether it takes the row to be here. Where that is so for all, which their number tells, there is nothing to note.
declare
    v_deletes bigint;
    v_updates bigint;
    v_inserts bigint;
    v_action text;
    v_lock text;
    v_count text;
    v_found bigint;
    v_found_inserts bigint;
    v_locked uuid[];
    v_as_supposed boolean := true;
begin
    select count(*) filter (where i.action = 'D'), count(*) filter (where i.action = 'U'), count(*) filter (where i.action = 'I')
    into v_deletes, v_updates, v_inserts
    from pg_temp.lizsync_incoming as i
    where i.row_id >= p_from_row and i.row_id < p_to_row;

    foreach v_action in array array['D', 'U'] loop
        continue when case v_action when 'D' then v_deletes else v_updates + v_inserts end = 0;
        v_lock := format($sql$
            select i.uid, i.action
            from pg_temp.lizsync_incoming as i
            join %s as t on t.uid = i.uid
            where i.row_id >= $1 and i.row_id < $2 and (i.action = 'D') = $3
            order by i.uid %s of t$sql$,
            p_relation, case v_action when 'D' then 'for update' else 'for no key update' end);
        v_count := format($sql$select count(*), count(*) filter (where l.action = 'I') from (%s) as l$sql$, v_lock);
        v_locked := null;
        if p_skip_locked then
            begin
                execute v_count into v_found, v_found_inserts using p_from_row, p_to_row, v_action = 'D';
            exception when lock_not_available then
                execute format($sql$select coalesce(array_agg(l.uid), '{}') from (%s skip locked) as l$sql$, v_lock)
                into v_locked
                using p_from_row, p_to_row, v_action = 'D';
            end;
        else
            -- a row that one subtransaction locks and another one writes costs PostgreSQL a multixact
            execute v_count into v_found, v_found_inserts using p_from_row, p_to_row, v_action = 'D';
        end if;
        continue when v_locked is null and v_found_inserts = 0 and v_found = case v_action when 'D' then v_deletes else v_updates end;

        v_as_supposed := false;
        execute format($sql$
            update pg_temp.lizsync_incoming as i
            set exists_here = not i.exists_here
            where i.row_id >= $1 and i.row_id < $2 and (i.action = 'D') = $3
              and exists (select from %s as t where t.uid = i.uid) <> i.exists_here$sql$,
            p_relation)
        using p_from_row, p_to_row, v_action = 'D';

        if v_locked is not null then
            update pg_temp.lizsync_incoming as i
            set state = 'h', sqlstate = '55P03', message = 'somebody has locked the row for a long time'
            where i.row_id >= p_from_row and i.row_id < p_to_row and (i.action = 'D') = (v_action = 'D')
              and i.exists_here and i.uid <> all (v_locked);
        end if;
    end loop;
    return v_as_supposed;
end
$_$;


--
-- Name: FUNCTION lock_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_skip_locked boolean); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.lock_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_skip_locked boolean) IS 'Locks the rows of a table that incoming changes touch and notes where they are not there, or there, against what the changes suppose; returns whether all is as supposed. Those that somebody else keeps locked get state h with p_skip_locked, else 55P03.';


--
-- Name: log_trigger_changes(regclass, integer, integer, integer, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.log_trigger_changes(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_unlogged_columns text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- What a user's trigger made of a received row is a change of this server, which travels back. A trigger that keeps a row
-- from being written at all refuses it: then the row is held.
declare
    v_refused uuid;
begin
    execute format($sql$
        select i.uid
        from pg_temp.lizsync_incoming as i
        left join %s as t on t.uid = i.uid
        where i.row_id >= $1 and i.row_id < $2 and i.state = 'a'
          and case
              when i.action = 'D' then t.uid is not null
              when i.exists_here then t.uid is null
                  or ("public".hstore(t.*) operator("public".-) $3 operator("public".=) i.row_before
                      and not i.row_before operator("public".@>)
                          (coalesce(i.remaining_values, i.new_values) operator("public".-) $3))
              else t.uid is null
          end
        limit 1$sql$, p_relation)
    into v_refused
    using p_from_row, p_to_row, p_unlogged_columns;
    if v_refused is not null then
        raise exception using
            errcode = 'LZ003',
            message = format('a trigger of %s kept row %s from being written', p_relation, v_refused);
    end if;

    execute format($sql$
        insert into audit.logged_actions (changed_at, relation_id, action, uid, old_values, new_values)
        select clock_timestamp(), $4, 'U', r.uid, "public".slice(r.expected, "public".akeys(r.changes)), r.changes
        from (
            select
                e.uid, e.expected,
                e.written operator("public".-) e.expected as changes
            from (
                select
                    i.uid,
                    coalesce(i.row_before, '') operator("public".||)
                        (coalesce(i.remaining_values, i.new_values) operator("public".-) $3) as expected,
                    "public".hstore(t.*) operator("public".-) $3 as written
                from pg_temp.lizsync_incoming as i
                join %s as t on t.uid = i.uid
                where i.row_id >= $1 and i.row_id < $2 and i.state = 'a' and i.action <> 'D'
            ) as e
        ) as r
        where r.changes operator("public".<>) ''$sql$, p_relation)
    using p_from_row, p_to_row, p_unlogged_columns, p_relation_id;
end
$_$;


--
-- Name: FUNCTION log_trigger_changes(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_unlogged_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.log_trigger_changes(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_unlogged_columns text[]) IS 'Logs, as changes made here, what triggers changed in rows of lizsync_incoming that were just written.';


--
-- Name: merge_stage(uuid, uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.merge_stage(p_from_sync_id uuid, p_into_sync_id uuid) RETURNS numeric
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    SET enable_nestloop TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
    with replaced as (
        delete from lizsync.staged_changes as p
        using (
            select distinct c.schema_name, c.table_name, c.uid from lizsync.staged_changes as c where c.sync_id = p_into_sync_id
        ) as c
        where p.sync_id = p_from_sync_id
          and p.schema_name = c.schema_name and p.table_name = c.table_name and p.uid = c.uid
    )
    delete from lizsync.stages as s where s.sync_id = p_from_sync_id;

    delete from lizsync.staged_changes as p where p.sync_id = p_into_sync_id and p.action in ('X', 'C');

    with moved as (
        update lizsync.staged_changes as p
        set sync_id = p_into_sync_id
        where p.sync_id = p_from_sync_id
        returning
            lizsync.digest_part(p.schema_name, p.table_name, p.uid, p.action, p.changed_at, p.new_values, p.event_id) as digest
    )
    select coalesce(sum(m.digest), 0) from moved as m;
$$;


--
-- Name: FUNCTION merge_stage(p_from_sync_id uuid, p_into_sync_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.merge_stage(p_from_sync_id uuid, p_into_sync_id uuid) IS 'Puts what is staged of one delivery, and was not replaced by a later one (of lizsync.resumed_changes), under that one; returns the sum of lizsync.digest_part over it.';


--
-- Name: names_table(jsonb, text, text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.names_table(p_tables jsonb, p_schema_name text, p_table_name text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select p_tables is null
        or p_tables @> jsonb_build_array(jsonb_build_object('schema_name', p_schema_name, 'table_name', p_table_name))
$$;


--
-- Name: FUNCTION names_table(p_tables jsonb, p_schema_name text, p_table_name text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.names_table(p_tables jsonb, p_schema_name text, p_table_name text) IS 'Whether a table is among p_tables, objects with schema_name and table_name; null: all are.';


--
-- Name: offer_stage(uuid, jsonb, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.offer_stage(p_sender_id uuid, p_ahead jsonb, p_tables jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- A delivery comes in the order of the rows' last events, so what is staged of it is complete up to the last one, of which
-- parts may be missing: it will be sent again. One that went on from another, and broke off too, is worth something when it has come further: by
-- then everything that changed in between has come again.
declare
    v_stage lizsync.stages;
    v_last lizsync.stages;
    v_event_id bigint;
begin
    -- those of others, which may never come back, would be read by every sync
    perform lizsync.drop_stages(array(
        select s.sync_id
        from lizsync.stages as s
        left join lizsync.links as l on l.peer_id = s.peer_id
        where s.begun_at < clock_timestamp() - interval '30 days'
           or l.retired_at is not null
           or (s.peer_id = p_sender_id
               and (s.from_position::text, s.ahead, s.tables) is distinct from (l.position::text, p_ahead, p_tables))
    ));
    select s.* into v_stage from lizsync.stages as s where s.peer_id = p_sender_id and s.complete_below is not null;
    select s.* into v_last from lizsync.stages as s where s.peer_id = p_sender_id and s.complete_below is null;
    if v_last.sync_id is not null then
        select max(p.event_id) into v_event_id from lizsync.staged_changes as p where p.sync_id = v_last.sync_id;
        if v_event_id is null or v_event_id < v_stage.complete_below then
            perform lizsync.drop_stages(array[v_last.sync_id]);
        else
            if v_stage.sync_id is not null then
                perform lizsync.merge_stage(v_stage.sync_id, v_last.sync_id);
            end if;
            update lizsync.stages as s set complete_below = v_event_id where s.sync_id = v_last.sync_id returning s.* into v_stage;
        end if;
    end if;
    if v_stage.sync_id is null then
        return null;
    end if;
    return jsonb_build_object(
        'sync_id', v_stage.sync_id, 'seen', v_stage.to_position, 'complete_below', v_stage.complete_below::text);
end
$$;


--
-- Name: FUNCTION offer_stage(p_sender_id uuid, p_ahead jsonb, p_tables jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.offer_stage(p_sender_id uuid, p_ahead jsonb, p_tables jsonb) IS 'What is staged of a delivery of p_sender_id that broke off and would begin where the next one does: its sync, and what lizsync.resumed_changes needs; null: nothing. What is of no use any more is dropped.';


--
-- Name: open_sync(jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.open_sync(p_clone_state jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_server lizsync.server_metadata;
    v_link lizsync.links;
    v_fingerprints jsonb;
    v_version integer;
    v_adopted integer;
    v_ahead jsonb;
begin
    select m.* into v_server from lizsync.server_metadata as m;
    if v_server.server_role is distinct from 'central' then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is not a central', current_database()),
            hint = 'Name the central database with --central.';
    end if;
    if (p_clone_state ->> 'central_id')::uuid <> v_server.server_id then
        raise exception using
            errcode = 'LZ002',
            message = format('the clone %s belongs to another central than %s', p_clone_state ->> 'server_name', v_server.server_name),
            hint = 'Name the central that the clone was deployed from.';
    end if;
    if lizsync.incarnation() <> lizsync.incarnation_of(v_server.system_identifier, v_server.database_oid) then
        raise exception using
            errcode = 'LZ001',
            message = format('the central %s is a copy or was restored from a dump', v_server.server_name),
            detail = 'What its clones have received is counted in transactions of the original.',
            hint = 'Use the original. If this one was moved here (pg_upgrade) and takes its place: lizsync upgrade --central --moved. '
                   'If the original is lost and this one was restored from a dump: make new packages of it and deploy them to the clones.';
    end if;
    select max(g.migration_number) into v_version from lizsync.migrations as g;
    if (p_clone_state ->> 'schema_version')::integer <> v_version then
        raise exception using
            errcode = 'LZ001',
            message = format('central and clone have different versions of lizsync (%s and %s)', v_version, p_clone_state ->> 'schema_version'),
            hint = format('Run: lizsync upgrade %s',
                case when v_version < (p_clone_state ->> 'schema_version')::integer then '--central' else '--clone' end);
    end if;

    -- the clone has committed a deployment whose end the central did not hear of
    perform lizsync.confirm_deployment((p_clone_state ->> 'server_id')::uuid, (p_clone_state ->> 'last_sync_id')::uuid);
    perform lizsync.lock_link((p_clone_state ->> 'server_id')::uuid);
    select l.* into v_link from lizsync.links as l where l.peer_id = (p_clone_state ->> 'server_id')::uuid;
    if not found or v_link.retired_at is not null then
        raise exception using
            errcode = 'LZ001',
            message = format('the central %s does not know the clone %s%s', v_server.server_name, p_clone_state ->> 'server_name',
                             case when v_link.retired_at is not null then ' any more: it was retired' else '' end),
            hint = 'Deploy a package to the clone; lizsync deploy --force writes what it has not sent to a file before.';
    end if;
    -- the clone was moved, and has said so
    if p_clone_state -> 'former_incarnations' @> jsonb_build_array(
        lizsync.incarnation_of(v_link.peer_system_identifier, v_link.peer_database_oid)) then
        update lizsync.links as l
        set peer_system_identifier = (p_clone_state #>> '{incarnation,system_identifier}')::bigint,
            peer_database_oid = (p_clone_state #>> '{incarnation,database_oid}')::oid
        where l.peer_id = v_link.peer_id
        returning l.* into v_link;
    end if;
    if lizsync.incarnation_of(v_link.peer_system_identifier, v_link.peer_database_oid) is distinct from p_clone_state -> 'incarnation'
       or pg_snapshot_xmax(v_link.position) > pg_snapshot_xmax((p_clone_state ->> 'current_position')::pg_snapshot) then
        raise exception using
            errcode = 'LZ001',
            message = format('the clone %s is not the one that the central knows: it is a copy, or was restored from a backup',
                             p_clone_state ->> 'server_name'),
            detail = 'The central has received changes that this clone does not have.',
            hint = 'Deploy a package to it; with --new-id if the original is still in use.';
    end if;
    if pg_snapshot_xmax((p_clone_state ->> 'position')::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()) then
        raise exception using
            errcode = 'LZ001',
            message = format('the central %s has gone back in time: the clone has received later changes', v_server.server_name),
            hint = 'Make a new package of the central and deploy it to the clone.';
    end if;

    v_ahead := lizsync.ahead_positions(v_link.peer_id);
    v_adopted := lizsync.adopt_partitions();
    v_fingerprints := lizsync.relation_fingerprints(v_link.peer_id, nullif(p_clone_state -> 'tables', 'null'));
    return jsonb_build_object(
        'server_id', v_server.server_id,
        'server_name', v_server.server_name,
        'adopted_partitions', v_adopted,
        'position', v_link.position,
        'ahead', v_ahead,
        'stage', lizsync.offer_stage(v_link.peer_id, v_ahead, nullif(p_clone_state -> 'tables', 'null')),
        'last_sync_id', v_link.last_sync_id,
        'last_sync_transaction_id', v_link.last_sync_transaction_id,
        'knows_last_sync_of_clone', exists (
            select from lizsync.history as h
            where h.peer_id = v_link.peer_id and h.sync_id = (p_clone_state ->> 'last_sync_id')::uuid),
        'different_tables', (
            select coalesce(jsonb_agg(t.table_name), '[]')
            from (
                select jsonb_object_keys(v_fingerprints || (p_clone_state -> 'fingerprints')) as table_name
            ) as t
            where v_fingerprints -> t.table_name is distinct from p_clone_state -> 'fingerprints' -> t.table_name
               or v_fingerprints -> t.table_name = 'null'
        ),
        'clock', extract(epoch from clock_timestamp())
    );
end
$$;


--
-- Name: FUNCTION open_sync(p_clone_state jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.open_sync(p_clone_state jsonb) IS 'On the central, answers lizsync.get_clone_state of a clone: checks that both are who they say, at the point where they parted, and returns what the clone needs. LZ001 and LZ002 say what is wrong; LZ004: a sync of this clone is running.';


--
-- Name: outgoing_changes(uuid, pg_snapshot, jsonb, jsonb, interval); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.outgoing_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval) RETURNS TABLE(schema_name text, table_name text, uid uuid, action "char", origin_server_id uuid, changed_at text, corrected_at text, new_values public.hstore, event_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    SET row_security TO 'off'
    SET jit TO 'off'
    SET work_mem TO '64MB'
    AS $$
select
    p.schema_name, p.table_name, p.uid, p.action, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values, p.event_id
from lizsync.outgoing_parts(p_receiver_id, p_position, p_ahead, p_tables, p_clock_shift, null) as p
where p.is_outgoing
order by p.event_id
$$;


--
-- Name: FUNCTION outgoing_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.outgoing_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval) IS 'Net changes of this server that the receiver, which has p_position (of some tables more: p_ahead), has not got; p_tables null: of all tables. Times as text, so that they travel unharmed whatever the settings of the sessions; null: this server made the change, corrected_at is changed_at. In the order of each row''s last event.';


--
-- Name: outgoing_chunks(uuid, pg_snapshot, jsonb, jsonb, interval); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.outgoing_chunks(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval) RETURNS TABLE(current_position pg_snapshot, rows text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- One statement, so that window and position come from one snapshot. At most 1,000 rows or some megabytes a chunk.
with changes as (
    select
        c.*,
        row_number() over () / 1000 as by_rows,
        sum(coalesce(octet_length(c.new_values::text), 0)) over (rows unbounded preceding) / 4000000 as by_bytes
    from lizsync.outgoing_changes(p_receiver_id, p_position, p_ahead, p_tables, p_clock_shift) as c
), chunks as (
    select
        format(
            '%L::text[], %L::text[], %L::uuid[], %L::"char"[], %L::uuid[], %L::timestamptz[], %L::timestamptz[], ',
            array_agg(c.schema_name), array_agg(c.table_name), array_agg(c.uid), array_agg(c.action),
            array_agg(c.origin_server_id), array_agg(c.changed_at), array_agg(c.corrected_at)
        ) || format('%L::text[]', array_agg(c.new_values::text)) as rows
    from changes as c
    group by c.by_rows, c.by_bytes
)
select lizsync.current_position(), c.rows
from (select) as always
left join chunks as c on true
$$;


--
-- Name: FUNCTION outgoing_chunks(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.outgoing_chunks(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval) IS 'lizsync.outgoing_changes as arguments of lizsync.stage_changes, in chunks, each with the position of the delivery; one row without rows when there are none.';


--
-- Name: outgoing_parts(uuid, pg_snapshot, jsonb, jsonb, interval, pg_snapshot); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.outgoing_parts(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot) RETURNS TABLE(schema_name text, table_name text, uid uuid, action "char", origin_server_id uuid, changed_at text, corrected_at text, new_values public.hstore, event_id bigint, is_outgoing boolean, is_seen boolean)
    LANGUAGE sql STABLE
    AS $$
-- What the receiver was the last to write is left out of the folded result, never of the single events: a change that
-- lost against the receiver's disappears with it.
select
    r.schema_name, r.table_name, f.uid, f.action,
    nullif(f.origin_server_id, (select lizsync.server_id())),
    f.changed_at::text,
    case when f.corrected_at <> f.changed_at then f.corrected_at::text end,
    f.new_values, f.event_id,
    f.received_from is distinct from p_receiver_id
        or (f.row_action is not distinct from 'I' and f.row_received_from is distinct from p_receiver_id),
    f.is_seen
from lizsync.fold_window(p_position, p_ahead, p_clock_shift, false, p_receiver_id, p_seen) as f
join audit.logged_relations as r on r.relation_id = f.relation_id
join lizsync.link_relations as l
    on l.peer_id = p_receiver_id and l.schema_name = r.schema_name and l.table_name = r.table_name
where (select lizsync.check_peer(p_receiver_id))
  and (select lizsync.check_logged_values(p_receiver_id, p_position, p_ahead, p_tables))
  and lizsync.names_table(p_tables, r.schema_name, r.table_name)
$$;


--
-- Name: FUNCTION outgoing_parts(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.outgoing_parts(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot) IS 'What lizsync.outgoing_changes and lizsync.resumed_changes choose from: the net changes of the window, whether they are to be delivered, and whether p_seen has all (true), some (false) or none (null) of the events of their row.';


--
-- Name: parse_tables(uuid, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.parse_tables(p_peer_id uuid, p_tables text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_unknown text;
begin
    select string_agg(array_to_string(array(select quote_ident(n) from unnest(parse_ident(t.name)) as n), '.'), ', ') into v_unknown
    from unnest(p_tables) as t (name)
    where not exists (
        select from lizsync.link_relations as r
        where r.peer_id = p_peer_id and array[r.schema_name, r.table_name] = parse_ident(t.name));
    if v_unknown is not null then
        raise exception using
            errcode = 'LZ002',
            message = format('this clone does not synchronise %s', v_unknown),
            detail = (select string_agg(format('%I.%I', r.schema_name, r.table_name), e'\n' order by r.schema_name, r.table_name)
                      from lizsync.link_relations as r where r.peer_id = p_peer_id),
            hint = 'Name tables with their schemas, as in SQL: survey.point,"Survey"."Photo".';
    end if;
    return (
        select jsonb_agg(distinct jsonb_build_object('schema_name', n[1], 'table_name', n[2]))
        from unnest(p_tables) as t (name)
        cross join parse_ident(t.name) as n
    );
end
$$;


--
-- Name: FUNCTION parse_tables(p_peer_id uuid, p_tables text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.parse_tables(p_peer_id uuid, p_tables text[]) IS 'Tables of a link, named as in SQL, as objects with schema_name and table_name; null: all. LZ002 for others.';


--
-- Name: partition_tree(regclass); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.partition_tree(p_relation regclass) RETURNS TABLE(relation regclass, is_leaf boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select p.relid, p.isleaf
    from pg_partition_tree(p_relation) as p
    union all
    -- for pg_partition_tree a table without partitions is no tree
    select c.oid::regclass, true
    from pg_class as c
    where c.oid = p_relation and c.relkind <> 'p' and not c.relispartition
$$;


--
-- Name: FUNCTION partition_tree(p_relation regclass); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.partition_tree(p_relation regclass) IS 'A table and its partitions on all levels; leaves are those that hold rows: the table itself when it has no partitions.';


--
-- Name: plan_preparation(text[], text[], text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.plan_preparation(p_schemas text[], p_tables text[], p_excluded_columns text[] DEFAULT '{}'::text[]) RETURNS TABLE(schema_name text, table_name text, uid_status text, triggers_status text, excluded_columns text[], problem text, remedy text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- p_tables: array[['schema', 'table'], ...]; p_excluded_columns: array[['schema', 'table', 'column'], ...].
with found as materialized (
    select f.schema_name, f.table_name, f.relation, f.problem, f.remedy
    from lizsync.find_relations(p_schemas, p_tables) as f
), exclusions as (
    select p_excluded_columns[i][1] as schema_name, p_excluded_columns[i][2] as table_name,
        array_agg(distinct p_excluded_columns[i][3]) as columns
    from generate_subscripts(p_excluded_columns, 1) as i
    group by 1, 2
), planned as (
    select f.schema_name, f.table_name, f.relation, f.problem, f.remedy, r.relation_id, r.excluded_columns,
        array(
            select unnest(e.columns) except select unnest(r.excluded_columns) order by 1
        ) as newly_excluded
    from found as f
    left join exclusions as e on e.schema_name = f.schema_name and e.table_name = f.table_name
    left join audit.logged_relations as r on r.schema_name = f.schema_name and r.table_name = f.table_name
), everything as (
    select
        p.schema_name,
        p.table_name,
        case when p.relation is not null then lizsync.uid_status(p.relation) end as uid_status,
        case
            when p.relation is null then null
            when p.relation_id is not null
                and p.newly_excluded = '{}'
                and not exists (
                    select
                    from lizsync.partition_tree(p.relation) as part
                    where not exists (
                        select
                        from pg_trigger as t
                        where t.tgrelid = part.relation
                          and t.tgname like 'lizsync\_audit\_%'
                          and t.tgenabled = 'A'
                          -- not those of rows, which a new partition gets from its root
                          and t.tgparentid = 0
                    )
                ) then 'present'
            else 'missing'
        end as triggers_status,
        coalesce(p.excluded_columns, '{}') || p.newly_excluded as excluded_columns,
        coalesce(p.problem, c.problem) as problem,
        coalesce(p.remedy, c.remedy) as remedy
    from planned as p
    left join lateral lizsync.check_relation(p.relation, p.newly_excluded) as c on p.relation is not null
    union all
    select e.schema_name, e.table_name, null, null, e.columns,
        'columns are to be excluded, but the table is not among those to prepare',
        format('name it too: --tables %I.%I', e.schema_name, e.table_name)
    from exclusions as e
    where not exists (
        select from found as f where f.schema_name = e.schema_name and f.table_name = e.table_name
    )
)
select e.schema_name, e.table_name, e.uid_status, e.triggers_status, e.excluded_columns, e.problem, e.remedy
from everything as e
order by e.schema_name collate "C", e.table_name collate "C" nulls first, e.problem collate "C"
$$;


--
-- Name: FUNCTION plan_preparation(p_schemas text[], p_tables text[], p_excluded_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.plan_preparation(p_schemas text[], p_tables text[], p_excluded_columns text[]) IS 'What lizsync.prepare_relation would do to which tables, by name. Changes nothing. With a problem: it would refuse.';


--
-- Name: prepare_relation(text, text, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.prepare_relation(p_schema_name text, p_table_name text, p_excluded_columns text[] DEFAULT '{}'::text[], OUT uid_status text, OUT triggers_status text, OUT excluded_columns text[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- p_excluded_columns come in addition to those that are excluded already.
declare
    v_relation constant regclass := format('%I.%I', p_schema_name, p_table_name);
    v_problems text;
    v_triggers text;
    v_partition regclass;
    v_new_columns text[];
begin
    uid_status := lizsync.uid_status(v_relation);
    -- at once the strongest lock that is needed: one that is raised later invites deadlocks
    execute format(
        'lock table %s in %s mode',
        v_relation,
        case when uid_status = 'present' then 'share row exclusive' else 'access exclusive' end
    );
    uid_status := lizsync.uid_status(v_relation);

    v_new_columns := array(
        select unnest(p_excluded_columns) as column_name
        except
        select unnest(r.excluded_columns)
        from audit.logged_relations as r
        where r.schema_name = p_schema_name and r.table_name = p_table_name
        order by column_name
    );
    select string_agg(format('%s: %s', c.problem, c.remedy), e'\n') into v_problems
    from lizsync.check_relation(v_relation, v_new_columns) as c;
    if v_problems is not null then
        raise exception using
            errcode = 'LZ001',
            message = format('%s can''t be prepared', v_relation),
            detail = v_problems;
    end if;

    if uid_status = 'missing' then
        if (select c.relkind = 'p' from pg_class as c where c.oid = v_relation) then
            execute format('alter table %s add column uid uuid not null default gen_random_uuid()', v_relation);
        else
            execute format('alter table %s add column uid uuid not null unique default gen_random_uuid()', v_relation);
        end if;
    elsif uid_status = 'incomplete' then
        execute format('alter table %s alter column uid set not null', v_relation);
        if not (
            select a.atthasdef from pg_attribute as a where a.attrelid = v_relation and a.attname = 'uid'
        ) then
            execute format('alter table %s alter column uid set default gen_random_uuid()', v_relation);
        end if;
    end if;
    -- a unique constraint of a partitioned table would have to contain the partition key
    for v_partition in
        select p.relation
        from lizsync.partition_tree(v_relation) as p
        where p.is_leaf and not lizsync.has_unique_uid(p.relation)
        order by p.relation::text collate "C"
    loop
        execute format('alter table %s add unique (uid)', v_partition);
    end loop;
    uid_status := case uid_status when 'missing' then 'added' when 'incomplete' then 'completed' else uid_status end;

    v_triggers := lizsync.describe_audit(v_relation);
    select coalesce(r.excluded_columns, '{}') || v_new_columns into excluded_columns
    from (select) as one_row
    left join audit.logged_relations as r on r.schema_name = p_schema_name and r.table_name = p_table_name;
    perform audit.enable_relation(p_schema_name, p_table_name, excluded_columns);
    triggers_status :=
        case when lizsync.describe_audit(v_relation) is not distinct from v_triggers then 'present' else 'added' end;
end
$$;


--
-- Name: FUNCTION prepare_relation(p_schema_name text, p_table_name text, p_excluded_columns text[], OUT uid_status text, OUT triggers_status text, OUT excluded_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.prepare_relation(p_schema_name text, p_table_name text, p_excluded_columns text[], OUT uid_status text, OUT triggers_status text, OUT excluded_columns text[]) IS 'Gives a table its column uid and its audit triggers, and says which were added and which were present. Idempotent.';


--
-- Name: prune_central(interval, interval, bigint); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.prune_central(p_keep interval, p_expire interval, p_limit bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- An event may go when it is older than p_keep and every link has it: links.peer_position is what the clone itself has
-- committed, because lizsync.synchronize refuses to run twice in one transaction. The conflicts of what a clone sends, and
-- what became of a parent that its rows refer to, are looked for outside that position, too; for a change that is held,
-- outside its held_position. Links that are retired or expired count no more: they get nothing but a new package
-- (lizsync.start_delivery, lizsync.register_clone), and what they still send is held where the removed events would
-- decide (lizsync.apply_changes).
declare
    v_now constant timestamp with time zone := clock_timestamp();
    v_before xid8;
    v_recent xid8;
    v_removable xid8;
    v_expired jsonb;
    v_held_back_by jsonb;
    v_removed record;
begin
    -- lizsync.register_clone shares this lock: no clone is deployed from an older package in between
    perform from lizsync.server_metadata as m where m.server_role = 'central' for update;
    if not found then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is not a central', current_database()),
            hint = 'The log of a clone is pruned by each sync.';
    end if;

    with expired as (
        update lizsync.links as l
        set expired_at = v_now
        where l.expired_at is null
          and l.retired_at is null
          and greatest(l.last_synchronised_at, l.deployed_at) < v_now - p_expire
        returning l.peer_name, l.last_synchronised_at
    )
    select coalesce(jsonb_agg(
        jsonb_build_object('name', e.peer_name, 'last_synchronised_at', e.last_synchronised_at) order by e.peer_name), '[]')
    into v_expired
    from expired as e;

    v_before := pg_snapshot_xmin(pg_current_snapshot());
    -- what comes after a recent change is recent, whatever clock its own time is from
    select a.transaction_id into v_recent
    from audit.logged_actions as a
    where a.transaction_id < v_before and coalesce(a.corrected_at, a.changed_at) >= v_now - p_keep
    order by a.transaction_id
    limit 1;
    v_removable := least(v_before, v_recent);

    select
        needed.xid,
        jsonb_build_object('name', needed.clone_name, 'last_synchronised_at', needed.last_synchronised_at)
    into v_before, v_held_back_by
    from (
        select l.peer_name as clone_name, l.last_synchronised_at, coalesce(pg_snapshot_xmin(l.peer_position), '0') as xid
        from lizsync.links as l
        where l.expired_at is null and l.retired_at is null
        union all
        select l.peer_name, l.last_synchronised_at, pg_snapshot_xmin(h.held_position)
        from lizsync.held_changes as h
        join lizsync.links as l on l.peer_id = h.peer_id
        where l.expired_at is null and l.retired_at is null
        union all
        -- deployed, for all that is known here
        select d.clone_name, null, pg_snapshot_xmin(p.snapshot)
        from lizsync.deployments as d
        join lizsync.packages as p on p.package_id = d.package_id
        where d.created_at >= v_now - coalesce(p_expire, '1000 years')
    ) as needed
    where needed.xid < v_removable
    order by needed.xid
    limit 1;
    v_before := least(v_before, v_removable);
    if not exists (
        select from audit.logged_actions as a where a.transaction_id >= v_before and a.transaction_id < v_removable limit 1
    ) then
        v_held_back_by := null;
    end if;

    select r.removed, r.latest into v_removed from lizsync.remove_events(v_before, p_limit) as r;
    if v_removed.removed > 0 then
        update lizsync.server_metadata as m
        set pruned_before = greatest(m.pruned_before, v_before),
            pruned_until = greatest(m.pruned_until, v_removed.latest);
    end if;
    return jsonb_build_object('removed', v_removed.removed, 'expired', v_expired, 'held_back_by', v_held_back_by);
end
$$;


--
-- Name: FUNCTION prune_central(p_keep interval, p_expire interval, p_limit bigint); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.prune_central(p_keep interval, p_expire interval, p_limit bigint) IS 'Removes events that are older than p_keep and that no link needs from the log of a central, at most p_limit. Clones that have not synchronised for p_expire (null: none) are marked: they need a new package. Returns how many events went, which clones were marked, and the clone that keeps older events from going.';


--
-- Name: prune_clone(bigint); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.prune_clone(p_limit bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- What may go are events that nobody will ask for again:
--   the next delivery and the conflicts of the next one that is received look outside the position that the central has
--     committed (links.peer_position);
--   a held change meets what was changed here after it was held (held_changes.held_position);
--   a foreign key whose parent is gone asks what became of the parent. A child that arrives refers to it because its author
--     did not know of the deletion: the central has not got it yet, so it lies outside peer_position, too. (The deletion of
--     a parent that the central holds is the exception: then the child waits, held, until that is settled.)
-- Transactions before the xmin of a position are all in it; those above it go with the next sync. The limit keeps a sync
-- short after a large one.
declare
    v_before xid8;
begin
    select (array_agg(needed.xid order by needed.xid))[1] into v_before
    from (
        select pg_snapshot_xmin(l.peer_position) as xid from lizsync.links as l
        union all
        select pg_snapshot_xmin(h.held_position) from lizsync.held_changes as h
    ) as needed;
    -- nothing is known to have arrived
    if exists (select from lizsync.links as l where l.peer_position is null) then
        return 0;
    end if;
    return (select r.removed from lizsync.remove_events(v_before, p_limit) as r);
end
$$;


--
-- Name: FUNCTION prune_clone(p_limit bigint); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.prune_clone(p_limit bigint) IS 'Removes events that the central has received from the log of a clone, at most p_limit; returns how many.';


--
-- Name: range_checksums(text, text, text[], integer); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.range_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_count integer) RETURNS TABLE(range_start uuid, row_count bigint, checksum numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET row_security TO 'off'
    AS $_$
begin
    -- ranges with the same number of rows each, whatever the distribution of the uids
    return query execute format(
        $query$
            select
                nullif(min(hashed.uid::text collate "C"), min(min(hashed.uid::text collate "C")) over ())::uuid,
                count(*),
                sum(hashed.row_hash)
            from (
                select t.uid, %s as row_hash, ntile($1) over (order by t.uid) as range_number
                from %s
            ) as hashed
            group by hashed.range_number
            order by hashed.range_number
        $query$,
        lizsync.row_hash_expression(p_columns),
        lizsync.compared_rows(p_schema_name, p_table_name)
    ) using p_range_count;
    if not found then
        return query select null::uuid, 0::bigint, 0::numeric;
    end if;
end
$_$;


--
-- Name: FUNCTION range_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_count integer); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.range_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_count integer) IS 'Divides a table into at most p_range_count ranges of uids and returns them in order, at least one. A range begins with its range_start, the first one, where that is null, with the lowest uid there can be, and ends before the next.';


--
-- Name: receive_changes(uuid, uuid, pg_snapshot, pg_snapshot, pg_snapshot, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.receive_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_details jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- p_details: transport ('cli' or 'sql'), clock_offset_ms (clock of the clone minus clock of the central), transaction_id
-- and sequences (of lizsync.begin_sync), scope (of lizsync.apply_changes), resumed (the sync that this delivery went on
-- from), and on the clone the result of the first half as "push".
declare
    v_is_central constant boolean := (select m.server_role = 'central' from lizsync.server_metadata as m);
    v_clock_offset constant interval := make_interval(secs => (p_details ->> 'clock_offset_ms')::double precision / 1000);
    v_result jsonb;
begin
    perform lizsync.commit_durably();
    perform lizsync.await_link(p_sender_id);
    perform lizsync.take_stage(p_sender_id, p_sync_id, (p_details ->> 'resumed')::uuid);
    v_result := lizsync.apply_changes(
        p_sync_id, p_sender_id, p_from, p_to, p_sender_position,
        case when v_is_central then '0'::interval else - v_clock_offset end,
        coalesce(p_details -> 'scope', '{}')
    );

    update lizsync.links as l
    set last_sync_id = p_sync_id,
        last_sync_transaction_id = (p_details ->> 'transaction_id')::xid8,
        pending_sync_id = null,
        clock_offset = v_clock_offset
    where l.peer_id = p_sender_id;

    insert into lizsync.history (
        sync_id, peer_id, transport, finished_at, pushed, pulled, conflicts, held, clock_offset
    )
    values (
        p_sync_id, p_sender_id, p_details ->> 'transport',
        case when not v_is_central then clock_timestamp() end,
        case when v_is_central then (v_result ->> 'rows')::bigint else (p_details #>> '{push,rows}')::bigint end,
        case when not v_is_central then (v_result ->> 'rows')::bigint end,
        (v_result ->> 'conflicts')::bigint + coalesce((p_details #>> '{push,conflicts}')::bigint, 0),
        (v_result ->> 'held')::bigint + coalesce((p_details #>> '{push,held}')::bigint, 0),
        v_clock_offset
    );
    if v_is_central then
        v_result := v_result || jsonb_build_object('ranges', lizsync.renew_ranges(
            p_sender_id,
            array(
                select to_regclass(format('%I.%I', r.schema_name, r.table_name)) from lizsync.link_relations as r
                where r.peer_id = p_sender_id),
            p_details -> 'sequences', false));
    else
        perform lizsync.set_ranges(p_details #> '{push,ranges}');
        perform lizsync.prune_clone(50000);
    end if;
    return v_result;
end
$$;


--
-- Name: FUNCTION receive_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_details jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.receive_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_details jsonb) IS 'One half of a sync at its receiver: applies what is staged, moves the position, writes the history. Returns what lizsync.apply_changes does, and on the central the ranges of sequences that the clone gets, which it sets with the other half.';


--
-- Name: refresh_triggers(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.refresh_triggers() RETURNS SETOF text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_relation record;
begin
    for v_relation in
        select r.schema_name, r.table_name, r.excluded_columns
        from audit.logged_relations as r
        join pg_namespace as n on n.nspname = r.schema_name
        join pg_class as c on c.relnamespace = n.oid and c.relname = r.table_name and c.relkind in ('r', 'p')
        order by r.schema_name collate "C", r.table_name collate "C"
    loop
        perform audit.enable_relation(v_relation.schema_name, v_relation.table_name, v_relation.excluded_columns);
        return next format('%I.%I', v_relation.schema_name, v_relation.table_name);
    end loop;
end
$$;


--
-- Name: FUNCTION refresh_triggers(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.refresh_triggers() IS 'Makes the audit triggers of all audited tables as audit.enable_relation wants them now; returns the names of the tables.';


--
-- Name: register_clone(uuid, text, uuid, text, bigint, oid, pg_snapshot, uuid, xid8, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.register_clone(p_package_id uuid, p_manifest_sha256 text, p_clone_id uuid, p_clone_name text, p_clone_system_identifier bigint, p_clone_database_oid oid, p_clone_position pg_snapshot, p_sync_id uuid, p_clone_transaction_id xid8, p_sequence_states jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
-- The clone commits after this, or does not. Until it is known to have done so, its link stays as it was.
declare
    v_package lizsync.packages;
    v_pruned_before xid8;
    v_missing text;
begin
    select * into v_package
    from lizsync.packages as p
    where p.package_id = p_package_id and p.manifest_sha256 = p_manifest_sha256;
    if not found then
        raise exception using errcode = 'LZ001',
            message = format('the central does not know the package %s', p_package_id),
            hint = 'Deploy a package that was made from this central with lizsync package.';
    end if;
    -- lizsync.prune_central looks under the same lock for those who need old events
    select m.pruned_before into v_pruned_before from lizsync.server_metadata as m for share;
    if v_pruned_before > pg_snapshot_xmin(v_package.snapshot) then
        raise exception using errcode = 'LZ001',
            message = 'the package is too old: the central has removed events from its log that were logged after it was made',
            hint = 'Make a new package: lizsync package --central';
    end if;
    if p_clone_id = lizsync.server_id() then
        raise exception using errcode = 'LZ001', message = 'the central cannot be its own clone',
            hint = 'Deploy into another database.';
    end if;
    select string_agg(r.relation, ', ') into v_missing
    from unnest(v_package.relations) as r (relation)
    where not exists (
        select from audit.logged_relations as l
        where format('%I.%I', l.schema_name, l.table_name) = r.relation
    );
    if v_missing is not null then
        raise exception using errcode = 'LZ001',
            message = format('the central no longer audits tables of the package: %s', v_missing),
            hint = 'Make a new package: lizsync package --central';
    end if;

    insert into lizsync.deployments as d (
        clone_id, clone_name, clone_system_identifier, clone_database_oid, clone_position, clone_transaction_id, sync_id, package_id
    )
    values (
        p_clone_id, p_clone_name, p_clone_system_identifier, p_clone_database_oid, p_clone_position, p_clone_transaction_id,
        p_sync_id, p_package_id
    )
    on conflict (clone_id) do update
    set clone_name = excluded.clone_name,
        clone_system_identifier = excluded.clone_system_identifier,
        clone_database_oid = excluded.clone_database_oid,
        clone_position = excluded.clone_position,
        clone_transaction_id = excluded.clone_transaction_id,
        sync_id = excluded.sync_id,
        package_id = excluded.package_id,
        created_at = clock_timestamp();

    -- What the clone had sent after the package was made would be left out of its first pull as its own, and be missing.
    perform
    from audit.logged_actions as e
    where e.transaction_id >= pg_snapshot_xmin(v_package.snapshot)
      and not pg_visible_in_snapshot(e.transaction_id, v_package.snapshot)
      and p_clone_id in (e.origin_server_id, e.received_from)
    limit 1;
    if found then
        raise exception using errcode = 'LZ001',
            message = 'the package is older than changes that the clone has sent to the central',
            hint = 'Make a new package: lizsync package --central. Or give the clone a new identity: --new-id';
    end if;

    return lizsync.renew_ranges(
        p_clone_id, array(select to_regclass(r.relation) from unnest(v_package.relations) as r (relation)), p_sequence_states, true);
end
$$;


--
-- Name: FUNCTION register_clone(p_package_id uuid, p_manifest_sha256 text, p_clone_id uuid, p_clone_name text, p_clone_system_identifier bigint, p_clone_database_oid oid, p_clone_position pg_snapshot, p_sync_id uuid, p_clone_transaction_id xid8, p_sequence_states jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.register_clone(p_package_id uuid, p_manifest_sha256 text, p_clone_id uuid, p_clone_name text, p_clone_system_identifier bigint, p_clone_database_oid oid, p_clone_position pg_snapshot, p_sync_id uuid, p_clone_transaction_id xid8, p_sequence_states jsonb) IS 'On the central, before the clone commits its deployment: checks it and notes it. lizsync.confirm_deployment makes it count. p_sequence_states: what lizsync.sequence_states said before, of a clone that is deployed anew. Returns what lizsync.set_ranges takes.';


--
-- Name: register_package(uuid, pg_snapshot, text, text[], text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.register_package(p_package_id uuid, p_snapshot pg_snapshot, p_manifest_sha256 text, p_schema_names text[], p_table_names text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
begin
    perform from lizsync.server_metadata as m where m.server_role = 'central';
    if not found then
        raise exception using errcode = 'LZ001', message = 'packages are made from a central, and this database is none';
    end if;
    insert into lizsync.packages (package_id, snapshot, manifest_sha256, relations)
    values (
        p_package_id, p_snapshot, p_manifest_sha256,
        (
            select array_agg(format('%I.%I', t.schema_name, t.table_name) order by t.position)
            from unnest(p_schema_names, p_table_names) with ordinality as t (schema_name, table_name, position)
        )
    );
end
$$;


--
-- Name: FUNCTION register_package(p_package_id uuid, p_snapshot pg_snapshot, p_manifest_sha256 text, p_schema_names text[], p_table_names text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.register_package(p_package_id uuid, p_snapshot pg_snapshot, p_manifest_sha256 text, p_schema_names text[], p_table_names text[]) IS 'Records a package that was made from this central: clones are deployed only from packages that it knows.';


--
-- Name: relation_fingerprints(uuid, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.relation_fingerprints(p_peer_id uuid, p_tables jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
    select coalesce(jsonb_object_agg(format('%I.%I', l.schema_name, l.table_name), f.fingerprint), '{}')
    from lizsync.link_relations as l
    left join lateral (
        select md5(string_agg(
            format('%s %s', c.column_name, format_type(a.atttypid, a.atttypmod)), ',' order by c.column_name)) as fingerprint
        from unnest(lizsync.synchronised_columns(l.schema_name, l.table_name)) as c (column_name)
        join pg_attribute as a
            on a.attrelid = to_regclass(format('%I.%I', l.schema_name, l.table_name)) and a.attname = c.column_name
    ) as f on true
    where l.peer_id = p_peer_id and lizsync.names_table(p_tables, l.schema_name, l.table_name)
$$;


--
-- Name: FUNCTION relation_fingerprints(p_peer_id uuid, p_tables jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.relation_fingerprints(p_peer_id uuid, p_tables jsonb) IS 'The tables of a link (p_tables null: all), each with a fingerprint of its synchronised columns and their types; null: the table is missing.';


--
-- Name: remove_events(xid8, bigint); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.remove_events(p_before xid8, p_limit bigint, OUT removed bigint, OUT latest timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_last_transaction xid8;
    v_statement_ids bigint[];
begin
    with removed_events as (
        delete from audit.logged_actions as a
        -- found by the index, oldest first, and removed where they stand, however large the log is
        where a.ctid = any (array(
            select d.ctid
            from audit.logged_actions as d
            where d.transaction_id < p_before
            order by d.transaction_id
            limit p_limit
        ))
        returning a.transaction_id, a.statement_id, coalesce(a.corrected_at, a.changed_at) as changed_at
    )
    select
        count(*),
        max(e.changed_at) filter (where isfinite(e.changed_at)),
        (array_agg(e.transaction_id order by e.transaction_id desc))[1],
        array_agg(distinct e.statement_id) filter (where e.statement_id is not null)
    into removed, latest, v_last_transaction, v_statement_ids
    from removed_events as e;

    -- a statement belongs to one transaction, and only the last one may have kept events
    delete from audit.logged_statements as s
    where s.statement_id = any (v_statement_ids)
      and not exists (
          select from audit.logged_actions as a
          where a.transaction_id = v_last_transaction and a.statement_id = s.statement_id
      );
end
$$;


--
-- Name: FUNCTION remove_events(p_before xid8, p_limit bigint, OUT removed bigint, OUT latest timestamp with time zone); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.remove_events(p_before xid8, p_limit bigint, OUT removed bigint, OUT latest timestamp with time zone) IS 'Removes the oldest events of transactions before p_before, at most p_limit, and statements without events. Returns how many events, and the latest time of one.';


--
-- Name: renew_grants(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.renew_grants() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- All that a role needs to synchronise, here once: the steps of a sync, and COPY into the staging table. None of the
-- tables. An upgrade, which may have replaced functions, calls this again.
declare
    v_role_name text;
    v_function regprocedure;
begin
    for v_role_name in
        select distinct g.role_name from lizsync.granted_roles as g join pg_roles as r on r.rolname = g.role_name
    loop
        execute format('grant usage on schema lizsync to %I', v_role_name);
        execute format(
            'grant insert (sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values, event_id) '
            'on lizsync.staged_changes to %I', v_role_name);
        for v_function in
            select p.oid
            from pg_proc as p
            where p.pronamespace = 'lizsync'::regnamespace
              and p.proname in (
                  'get_clone_state', 'open_sync', 'describe_columns', 'check_same_structure', 'begin_sync', 'start_delivery',
                  'outgoing_changes', 'resumed_changes', 'keep_stage', 'continue_stage', 'stage_changes', 'receive_changes',
                  'finish_sync', 'synchronize', 'get_last_sync',
                  'describe_server', 'list_held_changes', 'retry_held_changes', 'discard_held_change'
              )
        loop
            execute format('grant execute on routine %s to %I', v_function, v_role_name);
        end loop;
    end loop;
end
$$;


--
-- Name: FUNCTION renew_grants(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.renew_grants() IS 'Gives the roles in lizsync.granted_roles what they need to synchronise.';


--
-- Name: renew_ranges(uuid, regclass[], jsonb, boolean); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.renew_ranges(p_clone_id uuid, p_relations regclass[], p_states jsonb, p_is_deployment boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- A range counts as given from here on, and as in use once the clone says so, with its next sync. Until then the clone is
-- given the same one again, however often the answer is lost or rolled back.
declare
    v_sequence record;
    v_sequence_id integer;
    v_range lizsync.sequence_ranges;
    v_drawn bigint;
    v_row bigint;
    v_left numeric;
    v_is_low boolean;
    v_matches boolean;
    v_central bigint;
    v_new record;
    v_ranges jsonb := '[]';
begin
    for v_sequence in
        select
            s.sequence, s.columns, s.lowest, s.highest, q.seqincrement as step, q.seqincrement > 0 as ascends, q.seqcycle as cycle,
            q.seqtypid::regtype as type,
            (c.state ->> 'lower')::bigint as lower_value, (c.state ->> 'upper')::bigint as upper_value,
            (c.state ->> 'drawn')::bigint as drawn_value, coalesce(c.state -> 'columns', to_jsonb(s.columns)) as clone_columns
        from lizsync.feeding_sequences(p_relations) as s
        join pg_sequence as q on q.seqrelid = s.sequence
        left join jsonb_array_elements(p_states) as c (state) on c.state -> 'columns' ?| s.columns
        where p_is_deployment or c.state is not null
        order by s.sequence
    loop
        v_sequence_id := lizsync.known_sequence(v_sequence.sequence, v_sequence.columns);
        v_central := lizsync.last_number(v_sequence.sequence);

        update lizsync.sequence_ranges as r
        set confirmed_at = coalesce(r.confirmed_at, clock_timestamp()),
            drawn_value = case when v_sequence.ascends then greatest(r.drawn_value, v_sequence.drawn_value)
                               else least(r.drawn_value, v_sequence.drawn_value) end
        where r.sequence_id = v_sequence_id and r.clone_id = p_clone_id
          and r.lower_value = v_sequence.lower_value and r.upper_value = v_sequence.upper_value
          and (r.confirmed_at is null or r.drawn_value is distinct from v_sequence.drawn_value);

        -- the one that the clone has begun to draw from last
        select * into v_range
        from lizsync.sequence_ranges as r
        where r.sequence_id = v_sequence_id and r.clone_id = p_clone_id and r.confirmed_at is not null
        order by r.confirmed_at desc, r.range_id desc
        limit 1;
        v_matches := found and (v_range.lower_value, v_range.upper_value) = (v_sequence.lower_value, v_sequence.upper_value);
        v_is_low := true;
        v_left := 0;
        if v_range.range_id is not null then
            if p_is_deployment or not v_matches then
                -- the clone may be an older one than that which said how far it was
                v_row := lizsync.find_value(v_sequence.columns, v_range.lower_value, v_range.upper_value, v_sequence.ascends);
                update lizsync.sequence_ranges as r
                set drawn_value = case when v_sequence.ascends then greatest(r.drawn_value, v_row) else least(r.drawn_value, v_row) end
                where r.range_id = v_range.range_id and v_row is not null
                returning r.drawn_value into v_drawn;
                v_range.drawn_value := coalesce(v_drawn, v_range.drawn_value);
            end if;
            v_left := case
                when v_sequence.ascends then v_range.upper_value::numeric - coalesce(v_range.drawn_value, v_range.lower_value - v_sequence.step)
                else coalesce(v_range.drawn_value, v_range.upper_value - v_sequence.step) - v_range.lower_value::numeric
            end;
            v_left := floor(v_left / abs(v_sequence.step));
            v_is_low := v_left * 5 < floor((v_range.upper_value::numeric - v_range.lower_value) / abs(v_sequence.step)) + 1
                -- somebody set the central's sequence into it
                or coalesce(v_central between v_range.lower_value and v_range.upper_value, false);
        end if;

        v_new := null;
        if v_is_low then
            select r.range_id, null as refusal, null as hint into v_new
            from lizsync.sequence_ranges as r
            where r.sequence_id = v_sequence_id and r.clone_id = p_clone_id and r.confirmed_at is null
            order by r.range_id
            limit 1;
            if not found then
                select a.range_id, a.refusal, a.hint into v_new
                from lizsync.allot_range(
                    v_sequence.sequence, v_sequence.columns, v_sequence.lowest, v_sequence.highest, p_clone_id) as a;
            end if;
            if v_new.refusal is not null then
                v_ranges := v_ranges || jsonb_build_object(
                    'columns', v_sequence.clone_columns, 'refusal', v_new.refusal, 'hint', v_new.hint, 'keeps_range', v_left > 0 or v_matches);
            else
                select * into v_range from lizsync.sequence_ranges as r where r.range_id = v_new.range_id;
                v_left := 1;
                v_matches := false;
            end if;
        end if;
        if v_left > 0 and (p_is_deployment or not v_matches) then
            v_ranges := v_ranges || jsonb_build_object(
                'columns', v_sequence.clone_columns,
                'lower', v_range.lower_value,
                'upper', v_range.upper_value,
                'next', coalesce(
                    v_range.drawn_value + v_sequence.step,
                    case when v_sequence.ascends then v_range.lower_value else v_range.upper_value end),
                'type', v_sequence.type,
                'cycle', v_sequence.cycle);
        end if;

        if v_central is not null and v_sequence_id is not null then
            perform lizsync.guard_sequence(
                v_sequence.sequence, v_sequence_id,
                case when v_sequence.ascends then v_sequence.highest else - v_sequence.lowest end, null,
                case when v_sequence.ascends then v_central else - v_central::numeric end);
        end if;
    end loop;
    return v_ranges;
end
$$;


--
-- Name: FUNCTION renew_ranges(p_clone_id uuid, p_relations regclass[], p_states jsonb, p_is_deployment boolean); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.renew_ranges(p_clone_id uuid, p_relations regclass[], p_states jsonb, p_is_deployment boolean) IS 'On the central: which ranges a clone shall draw from, as its sequences are (lizsync.sequence_states): those that have changed, because less than a fifth was left, or for a deployment all. What lizsync.set_ranges takes.';


--
-- Name: repair_foreign_keys(uuid, integer, bigint, uuid, pg_snapshot, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.repair_foreign_keys(p_sync_id uuid, p_batch integer, p_after_event_id bigint, p_sender_id uuid, p_sender_position pg_snapshot, p_sender_ahead jsonb) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- A parent was deleted (or got another key) on one side and a child was added on the other: the constraint's own action
-- decides, as it would have in one database. What is decided here is staged as the next batch, a local change that
-- travels like any other.
-- That is so for what the other side could not know. A sender that had seen the loss of the parent, or made it, and sends a
-- child with its key means another row, which has taken the key over and has not arrived: its table was left out, or it is
-- held. Then the child waits for it: it is held. And a sender that deletes a parent, knowing the child here, has deleted
-- the child or given it another parent before, which has not arrived either: then the parent waits, as it was.
declare
    v_relations oid[];
    v_constraint record;
    v_orphan record;
    v_received record;
    v_sender_knows_children boolean;
    v_parent_position pg_snapshot;
    v_position pg_snapshot;
    v_parent_row_id integer;
    v_key_values "public".hstore;
    v_parent_uid uuid;
    v_key_here "public".hstore;
    v_parent_is_held boolean;
    v_parent_before "public".hstore;
    v_on_loss "char";
    v_set_columns text[];
    v_set_values "public".hstore;
    v_kind text;
    v_action "char";
    v_target record;
    v_values "public".hstore;
    v_losing_values "public".hstore;
    v_cause_row_id integer;
    v_other_cause_row_id integer;
    v_to_hold integer[] := '{}';
    v_parents_to_hold integer[] := '{}';
    v_message text;
    v_parent_message text;
    v_staged boolean := false;
begin
    v_relations := array(
        select r.relation::oid from pg_temp.lizsync_incoming_relations as r where r.batch = p_batch);
    for v_constraint in
        select k.*
        from lizsync.foreign_keys(array(
            select c.oid
            from pg_constraint as c
            where c.contype = 'f' and c.conparentid = 0 and (c.conrelid = any (v_relations) or c.confrelid = any (v_relations))
        )) as k
        order by k.constraint_oid
    loop
        -- of a table that the link does not synchronise the sender learns nothing, ...
        select
            coalesce(bool_or((r.schema_name, r.table_name) = (v_constraint.child_schema, v_constraint.child_table)), false)
            -- ... nor of columns that are not logged
            and v_constraint.child_columns <@ lizsync.synchronised_columns(v_constraint.child_schema, v_constraint.child_table)::text[],
            case when bool_or((r.schema_name, r.table_name) = (v_constraint.parent_schema, v_constraint.parent_table))
                then p_sender_position else '1:1:' end
        into v_sender_knows_children, v_parent_position
        from lizsync.link_relations as r
        where r.peer_id = p_sender_id;
        v_parent_position := coalesce((
            select a.position
            from jsonb_to_recordset(p_sender_ahead) as a (schema_name text, table_name text, position pg_snapshot)
            where (a.schema_name, a.table_name) = (v_constraint.parent_schema, v_constraint.parent_table)
        ), v_parent_position);

        for v_orphan in
            select distinct o.child_uid, o.child_table, o.child_ctid, o.key_values
            from lizsync.find_orphans(v_constraint.constraint_oid, p_batch, p_after_event_id) as o
        loop
            select "public".hstore(array_agg(k.parent_column), array_agg(v_orphan.key_values operator("public".->) k.child_column))
            into v_key_values
            from unnest(v_constraint.parent_columns, v_constraint.child_columns) as k (parent_column, child_column);

            select
                i.row_id, i.held_position, i.held_sqlstate,
                not i.exists_here
                or "public".exists_any(coalesce(i.remaining_values, i.new_values), v_constraint.child_columns) as has_key
            into v_received
            from pg_temp.lizsync_incoming as i
            where i.relation = v_constraint.child and i.uid = v_orphan.child_uid and i.batch = 0 and i.state = 'a' and i.action <> 'D'
            limit 1;
            v_cause_row_id := v_received.row_id;
            if v_cause_row_id is null and p_batch > 0 then
                select i.cause_row_id into v_cause_row_id
                from pg_temp.lizsync_incoming as i
                where i.relation = v_constraint.child and i.uid = v_orphan.child_uid and i.batch = p_batch
                limit 1;
            end if;

            -- What became of the parent: it has another key here, or it was deleted. Who sent the child had not seen what is
            -- outside of its position; when the child was held, of the one it had then. (What is held for lack of a parent
            -- was found to be made by somebody who had seen its loss.) A child that was here has just lost its parent.
            v_position := case
                when v_received.has_key and v_received.held_sqlstate is distinct from '23503'
                    then coalesce(v_received.held_position::pg_snapshot, v_parent_position)
                when v_received.has_key then v_parent_position
                when p_batch = 0 then lizsync.current_position()
                else coalesce(v_parent_position, '1:1:')
            end;
            v_parent_uid := lizsync.find_lost_parent(
                v_constraint.parent_relation_id, v_key_values, v_position, case when v_received.has_key then p_sender_id end);
            execute format('select (select "public".hstore(k.*) from (select %s) as k) from %s as p where p.uid = $1',
                (select string_agg(format('p.%I', k.column_name), ', ') from unnest(v_constraint.parent_columns) as k (column_name)),
                v_constraint.parent)
            into v_key_here
            using v_parent_uid;
            v_parent_before := case when v_key_here is null then (
                select l.old_values
                from audit.logged_actions as l
                where l.transaction_id >= pg_snapshot_xmin(v_position)
                  and l.relation_id = v_constraint.parent_relation_id and l.uid = v_parent_uid and l.action = 'D'
                order by l.event_id desc
                limit 1
            ) end;

            -- a row with that key has arrived and is held: it is the parent, whatever had the key before
            v_parent_is_held := v_received.row_id is not null and exists (
                select from pg_temp.lizsync_incoming as i
                where i.relation = v_constraint.parent and i.state = 'h' and i.action <> 'D'
                  and i.new_values operator("public".@>) v_key_values
            );

            if v_parent_is_held or (v_key_here is null and v_parent_before is null) then
                if v_cause_row_id is null then
                    raise exception using
                        errcode = 'LZ001',
                        message = format('a row of %I.%I has no parent in %I.%I (constraint %I, key %s)',
                            v_constraint.child_schema, v_constraint.child_table, v_constraint.parent_schema,
                            v_constraint.parent_table, v_constraint.constraint_name, v_orphan.key_values),
                        hint = 'Repair the row or its parent in this server, then synchronise again.';
                end if;
                v_message := format('key (%s) is not present in table %I.%I (constraint %I)',
                    v_orphan.key_values, v_constraint.parent_schema, v_constraint.parent_table, v_constraint.constraint_name);
                v_to_hold := v_to_hold || v_cause_row_id;
                continue;
            end if;

            -- the sender took the parent away from a child that it knew
            if p_batch = 0 and v_received.has_key is not true and v_constraint.child_relation_id is not null and v_sender_knows_children then
                select i.row_id into v_parent_row_id
                from pg_temp.lizsync_incoming as i
                where i.relation = v_constraint.parent and i.uid = v_parent_uid and i.batch = 0 and i.state = 'a'
                  and not lizsync.is_news(
                      v_constraint.child_relation_id, v_orphan.child_uid, v_constraint.child_columns,
                      coalesce(i.held_position::pg_snapshot, (
                          select a.position
                          from jsonb_to_recordset(p_sender_ahead) as a (schema_name text, table_name text, position pg_snapshot)
                          where (a.schema_name, a.table_name) = (v_constraint.child_schema, v_constraint.child_table)
                      ), p_sender_position),
                      p_sender_id);
                if found then
                    v_parent_message := format('key (%s) is still referenced from table %I.%I (constraint %I)',
                        v_key_values, v_constraint.child_schema, v_constraint.child_table, v_constraint.constraint_name);
                    v_parents_to_hold := v_parents_to_hold || v_parent_row_id;
                    continue;
                end if;
            end if;

            v_on_loss := case when v_key_here is null then v_constraint.on_delete else v_constraint.on_update end;
            v_set_columns := coalesce(case when v_key_here is null then v_constraint.delete_set_columns end, v_constraint.child_columns);
            v_set_values := case v_on_loss
                when 'n' then "public".hstore(v_set_columns, array_fill(null::text, array[cardinality(v_set_columns)]))
                when 'd' then lizsync.column_defaults(v_constraint.child, v_set_columns)
            end;
            if v_on_loss in ('n', 'd') and not lizsync.is_valid_reference(
                v_constraint.constraint_oid, v_orphan.key_values operator("public".||) v_set_values) then
                v_on_loss := 'a';  -- in one database the parent could not have been deleted
            end if;
            if v_on_loss = 'c' and v_key_here is null and exists (
                select from pg_temp.lizsync_found_conflicts as c
                where c.kind = 'foreign_key_restore'
                  and (c.schema_name, c.table_name, c.uid) = (v_constraint.child_schema, v_constraint.child_table, v_orphan.child_uid)
            ) then
                v_on_loss := 'a';  -- the child came back because it may not be deleted; then its parent could not have been either
            end if;

            if v_on_loss in ('a', 'r') then
                v_kind := 'foreign_key_restore';
                v_target := row(v_constraint.parent_schema, v_constraint.parent_table, v_parent_uid);
                if v_key_here is null then
                    -- as it was, plus what arrived for it, with the key that the child has
                    v_action := 'I';
                    v_values := v_parent_before operator("public".||) coalesce((
                        select i.new_values
                        from pg_temp.lizsync_incoming as i
                        where i.relation = v_constraint.parent and i.uid = v_parent_uid and i.batch = 0 and i.action <> 'D'
                    ), '') operator("public".||) v_key_values;
                else
                    v_action := 'U';
                    v_values := v_key_values;
                end if;
                v_losing_values := v_key_here;
            else
                v_target := row(v_constraint.child_schema, v_constraint.child_table, v_orphan.child_uid);
                if v_on_loss = 'c' and v_key_here is null then
                    v_kind := 'foreign_key_cascade';
                    v_action := 'D';
                    v_values := null;
                    if v_constraint.child_relation_id is not null then
                        execute format('select "public".slice("public".hstore(c.*), $1) from %s as c where c.uid = $2', v_constraint.child)
                        into v_losing_values
                        using lizsync.synchronised_columns(v_constraint.child_schema, v_constraint.child_table), v_orphan.child_uid;
                    end if;
                else
                    v_kind := 'foreign_key_set';
                    v_action := 'U';
                    v_values := coalesce(v_set_values, (
                        select "public".hstore(array_agg(k.child_column),
                                   array_agg(v_key_here operator("public".->) k.parent_column))
                        from unnest(v_constraint.parent_columns, v_constraint.child_columns) as k (parent_column, child_column)
                    ));
                    v_losing_values := "public".slice(v_orphan.key_values, v_set_columns);
                end if;
            end if;

            if v_kind <> 'foreign_key_restore' and v_constraint.child_relation_id is null then
                perform lizsync.repair_local_child(v_orphan.child_table, v_orphan.child_ctid, v_kind, v_values);
                v_staged := true;
                continue;
            end if;

            if v_kind = 'foreign_key_restore' then
                -- another child has brought the parent back already, ...
                continue when exists (
                    select from lizsync.staged_changes as s
                    where s.sync_id = p_sync_id and s.batch = p_batch + 1
                      and (s.schema_name, s.table_name, s.uid) = (v_target.f1, v_target.f2, v_target.f3)
                      and s.new_values operator("public".@>) v_key_values);
                -- ... but with another key: one row can't have both, and the change that began it is held
                select coalesce(i.row_id, c.row_id, v_cause_row_id, -1) into v_other_cause_row_id
                from pg_temp.lizsync_found_conflicts as c
                left join pg_temp.lizsync_incoming as i
                    on i.batch = 0 and i.state = 'a' and i.action <> 'D'
                    and (i.schema_name, i.table_name, i.uid) = (c.schema_name, c.table_name, c.uid)
                where c.kind = v_kind and (c.schema_name, c.table_name, c.uid) = (v_target.f1, v_target.f2, v_target.f3)
                limit 1;
                if found then
                    v_message := format('key (%s) and another one are both needed in table %I.%I (constraint %I)',
                        v_orphan.key_values, v_constraint.parent_schema, v_constraint.parent_table, v_constraint.constraint_name);
                    v_to_hold := v_to_hold || v_other_cause_row_id;
                    continue;
                end if;
            end if;

            insert into lizsync.staged_changes (
                sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values, batch
            )
            values (
                p_sync_id, v_target.f1, v_target.f2, v_target.f3, v_action, lizsync.server_id(),
                -- the values of a row that came back win against nothing
                case v_kind when 'foreign_key_restore' then '-infinity' else clock_timestamp() end,
                case v_kind when 'foreign_key_restore' then '-infinity'::timestamp with time zone end,
                v_values, p_batch + 1
            );
            insert into pg_temp.lizsync_found_conflicts (
                row_id, schema_name, table_name, uid, kind, winner_server_id, winning_values, losing_values
            )
            values (
                v_cause_row_id, v_target.f1, v_target.f2, v_target.f3, v_kind, lizsync.server_id(), v_values, v_losing_values
            );
            v_staged := true;
        end loop;
    end loop;

    if v_to_hold = '{}' then
        v_to_hold := v_parents_to_hold;
        v_message := v_parent_message;
    end if;
    if v_to_hold <> '{}' then
        -- rolls back to where the batch was not applied; lizsync.apply_changes goes on without these rows
        raise exception using errcode = 'LZ100', message = v_message, detail = v_to_hold::text;
    end if;
    return v_staged;
end
$_$;


--
-- Name: FUNCTION repair_foreign_keys(p_sync_id uuid, p_batch integer, p_after_event_id bigint, p_sender_id uuid, p_sender_position pg_snapshot, p_sender_ahead jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.repair_foreign_keys(p_sync_id uuid, p_batch integer, p_after_event_id bigint, p_sender_id uuid, p_sender_position pg_snapshot, p_sender_ahead jsonb) IS 'Finds foreign keys that a batch broke and stages the next batch, which repairs them; returns whether there is one. p_sender_position, p_sender_ahead: what the sender has of this server''s log (null: nothing was delivered, all rows were held).';


--
-- Name: repair_local_child(regclass, tid, text, public.hstore); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.repair_local_child(p_child regclass, p_ctid tid, p_kind text, p_values public.hstore) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- A table that nobody synchronises refers to one that is synchronised: its row is changed as any user would change it,
-- with triggers and further foreign keys.
begin
    perform set_config('session_replication_role', 'origin', true);
    if p_kind = 'foreign_key_cascade' then
        execute format('delete from %s as t where t.ctid = $1', p_child) using p_ctid;
    else
        execute format('update %s as t set %s where t.ctid = $1', p_child,
            (select string_agg(format('%I = %s', v.key, lizsync.value_expression(p_child, v.key, '$2')), ', ')
             from "public".each(p_values) as v))
        using p_ctid, p_values;
    end if;
    perform set_config('session_replication_role', 'replica', true);
end
$_$;


--
-- Name: FUNCTION repair_local_child(p_child regclass, p_ctid tid, p_kind text, p_values public.hstore); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.repair_local_child(p_child regclass, p_ctid tid, p_kind text, p_values public.hstore) IS 'Deletes an orphan of a table that is not audited, or sets its key columns to p_values.';


--
-- Name: resolve_conflicts(uuid, pg_snapshot, jsonb, interval, boolean); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.resolve_conflicts(p_sender_id uuid, p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_held boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_nestloop TO 'off'
    AS $$
-- The sender knows this server's changes up to p_position (of some tables more: p_ahead). What was changed here since then, by anyone but the sender,
-- it had not seen when it made its own changes. (For rows that were held, p_position is what this server had when they
-- were held: the sender has got to know later changes, but the held one was made before.)
-- delete against anything: the row is deleted. Column against column: the later change, ties by server id.
begin
    if not lizsync.has_events(p_position, p_sender_id, true) then
        return;
    end if;
    create temporary table lizsync_mine on commit drop as
    select i.row_id, f.action, f.origin_server_id, f.changed_at, f.corrected_at, f.new_values
    from lizsync.fold_window(p_position, p_ahead, p_clock_shift, true, p_sender_id) as f
    join audit.logged_relations as r on r.relation_id = f.relation_id
    join pg_temp.lizsync_incoming as i
        on i.schema_name = r.schema_name and i.table_name = r.table_name and i.uid = f.uid
    where f.received_from is distinct from p_sender_id
      and i.batch = 0
      and i.held_position is not distinct from case when p_held then p_position::text end;

    analyze pg_temp.lizsync_mine;
    if not exists (select from pg_temp.lizsync_mine) then
        drop table pg_temp.lizsync_mine;
        return;
    end if;

    -- the sender deletes, this server changed the row
    insert into pg_temp.lizsync_found_conflicts
    select
        i.row_id, i.schema_name, i.table_name, i.uid, 'delete_update', s.origin_server_id, m.origin_server_id,
        s.changed_at, m.changed_at, null, m.new_values
    from pg_temp.lizsync_mine as m
    join pg_temp.lizsync_incoming as i on i.row_id = m.row_id
    join pg_temp.lizsync_writers as s on s.row_id = i.row_id
    where i.action = 'D' and i.exists_here and m.action <> 'D';

    -- the sender changes, this server deleted the row
    insert into pg_temp.lizsync_found_conflicts
    select
        i.row_id, i.schema_name, i.table_name, i.uid, 'update_delete', m.origin_server_id, s.origin_server_id,
        m.changed_at, s.changed_at, null, s.new_values
    from pg_temp.lizsync_mine as m
    join pg_temp.lizsync_incoming as i on i.row_id = m.row_id
    join pg_temp.lizsync_writers as s on s.row_id = i.row_id
    where i.action <> 'D' and not i.exists_here and m.action = 'D';

    update pg_temp.lizsync_incoming as i
    set state = 's'
    from pg_temp.lizsync_mine as m
    where i.row_id = m.row_id and i.action <> 'D' and not i.exists_here and m.action = 'D';

    -- both change a column
    create temporary table lizsync_both on commit drop as
    select
        i.row_id, theirs.key as column_name,
        theirs.value is not distinct from mine.value as agreed,
        (m.corrected_at, m.origin_server_id) > (s.corrected_at, s.origin_server_id) as mine_wins,
        theirs.value as their_value, s.origin_server_id as their_server_id, s.changed_at as their_changed_at,
        mine.value as my_value, m.origin_server_id as my_server_id, m.changed_at as my_changed_at
    from pg_temp.lizsync_mine as m
    join pg_temp.lizsync_incoming as i on i.row_id = m.row_id
    join pg_temp.lizsync_writers as s on s.row_id = i.row_id
    cross join lateral "public".each(m.new_values) as mine
    join lateral "public".each(s.new_values) as theirs on theirs.key = mine.key
    where i.action <> 'D' and i.exists_here and m.action <> 'D';

    insert into pg_temp.lizsync_found_conflicts
    select
        i.row_id, i.schema_name, i.table_name, i.uid, 'update_update',
        case when b.mine_wins then b.my_server_id else b.their_server_id end,
        case when b.mine_wins then b.their_server_id else b.my_server_id end,
        case when b.mine_wins then b.my_changed_at else b.their_changed_at end,
        case when b.mine_wins then b.their_changed_at else b.my_changed_at end,
        "public".hstore(b.column_name, case when b.mine_wins then b.my_value else b.their_value end),
        "public".hstore(b.column_name, case when b.mine_wins then b.their_value else b.my_value end)
    from pg_temp.lizsync_both as b
    join pg_temp.lizsync_incoming as i on i.row_id = b.row_id
    where not b.agreed;

    update pg_temp.lizsync_incoming as i
    set agreed_columns = b.agreed_columns,
        remaining_values = i.new_values operator("public".-) b.lost_columns,
        state = case when i.new_values operator("public".-) b.lost_columns
                          operator("public".=) '' then 's' else i.state end
    from (
        select
            c.row_id,
            coalesce(array_agg(c.column_name) filter (where c.agreed), '{}') as agreed_columns,
            coalesce(array_agg(c.column_name) filter (where not c.agreed and c.mine_wins), '{}') as lost_columns
        from pg_temp.lizsync_both as c
        group by c.row_id
    ) as b
    where i.row_id = b.row_id;

    drop table pg_temp.lizsync_both, pg_temp.lizsync_mine;
end
$$;


--
-- Name: FUNCTION resolve_conflicts(p_sender_id uuid, p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_held boolean); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.resolve_conflicts(p_sender_id uuid, p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_held boolean) IS 'Decides the received rows of batch 0 that were changed here too: which columns lose, which rows stay as they are.';


--
-- Name: resumed_changes(uuid, pg_snapshot, jsonb, jsonb, interval, pg_snapshot, bigint); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.resumed_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot, p_complete_below bigint) RETURNS TABLE(schema_name text, table_name text, uid uuid, action "char", origin_server_id uuid, changed_at text, corrected_at text, new_values public.hstore, event_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    SET row_security TO 'off'
    SET jit TO 'off'
    SET work_mem TO '64MB'
    AS $$
-- What happened to a row that p_seen has, the receiver has staged, unless it was to come later in the order. Of all other
-- rows what is staged is replaced by what comes here; X: by nothing. C sums up what must be left then, for lizsync.take_stage.
with parts as materialized (
    select p.*, coalesce(p.is_seen and p.event_id < p_complete_below, false) as is_staged
    from lizsync.outgoing_parts(p_receiver_id, p_position, p_ahead, p_tables, p_clock_shift, p_seen) as p
)
select
    p.schema_name, p.table_name, p.uid, p.action, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values, p.event_id
from parts as p
where p.is_outgoing and not p.is_staged
union all
select p.schema_name, p.table_name, p.uid, 'X', null, min(p.changed_at), null, null, p.event_id
from parts as p
where p.is_seen is not null and not p.is_staged
group by p.schema_name, p.table_name, p.uid, p.event_id
having not bool_or(p.is_outgoing)
union all
select
    '', '', p_receiver_id, 'C', null, clock_timestamp()::text, null,
    "public".hstore('digest', coalesce(sum(
        lizsync.digest_part(p.schema_name, p.table_name, p.uid, p.action, p.changed_at::timestamptz, p.new_values, p.event_id)
    ), 0)::text),
    null
from parts as p
where p.is_outgoing and p.is_staged
order by event_id nulls first
$$;


--
-- Name: FUNCTION resumed_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot, p_complete_below bigint); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.resumed_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot, p_complete_below bigint) IS 'lizsync.outgoing_changes for a receiver that has a part of an earlier delivery: one that had the position p_seen, and of which all rows with a last event below p_complete_below have arrived.';


--
-- Name: retire_clone(text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.retire_clone(p_clone text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_clone record;
    v_found record;
    v_retired_at timestamp with time zone;
    v_lines text[] := '{}';
begin
    if (select m.server_role from lizsync.server_metadata as m) is distinct from 'central' then
        raise exception using
            errcode = 'LZ002',
            message = format('database %I is not a central', current_database()),
            hint = 'Name the central database with --central.';
    end if;
    for v_clone in
        select l.peer_id as clone_id, l.peer_name as clone_name, l.deployed_at, l.last_synchronised_at, l.retired_at
        from lizsync.links as l
        where p_clone in (l.peer_name, l.peer_id::text)
        union all
        -- the central has not heard that the clone was made
        select d.clone_id, d.clone_name, d.created_at, null, null
        from lizsync.deployments as d
        where p_clone in (d.clone_name, d.clone_id::text)
          and not exists (select from lizsync.links as l where l.peer_id = d.clone_id)
    loop
        if v_clone.retired_at is not null then
            v_retired_at := greatest(v_retired_at, v_clone.retired_at);
            continue;
        end if;
        v_found := v_clone;
        v_lines := v_lines || format('%s, deployed on %s, last synchronised: %s', v_clone.clone_id, v_clone.deployed_at::date,
            coalesce(v_clone.last_synchronised_at::date::text, 'never'));
    end loop;
    if cardinality(v_lines) > 1 then
        raise exception using
            errcode = 'LZ002',
            message = format('the central knows %s clones named %s', cardinality(v_lines), p_clone),
            detail = array_to_string(v_lines, E'\n'),
            hint = 'Write the id in the place of the name.';
    elsif v_lines = '{}' then
        raise exception using
            errcode = 'LZ002',
            message = case when v_retired_at is null then format('the central knows no clone %s', p_clone)
                           else format('the clone %s was retired on %s', p_clone, v_retired_at::date) end,
            detail = (
                select 'clones: ' || string_agg(l.peer_name, ', ' order by l.peer_name)
                from lizsync.links as l where l.retired_at is null),
            hint = 'Write the name that the clone was given by lizsync deploy.';
    end if;

    perform lizsync.lock_link(v_found.clone_id);
    update lizsync.links as l set retired_at = clock_timestamp() where l.peer_id = v_found.clone_id;
    delete from lizsync.deployments as d where d.clone_id = v_found.clone_id;
    perform lizsync.return_ranges(v_found.clone_id);
    return jsonb_build_object(
        'clone_id', v_found.clone_id,
        'clone', v_found.clone_name,
        'last_synchronised_at', v_found.last_synchronised_at,
        'held', (select count(*) from lizsync.held_changes as h where h.peer_id = v_found.clone_id)
    );
end
$$;


--
-- Name: FUNCTION retire_clone(p_clone text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.retire_clone(p_clone text) IS 'On the central, ends the link of a clone, which is known by its name or its id: it cannot synchronise any more, nothing is kept for it, and what it has not drawn of its ranges returns. LZ002 when there is no such clone or more than one; LZ004 while it synchronises.';


--
-- Name: retry_held_changes(uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.retry_held_changes(p_peer_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- A sync without the other server: nothing new has arrived, so the positions stay where they are.
declare
    v_link record;
    v_half jsonb;
    v_tried bigint := 0;
    v_rows bigint := 0;
    v_conflicts bigint := 0;
    v_held bigint := 0;
begin
    for v_link in
        select l.*, (select count(*) from lizsync.held_changes as h where h.peer_id = l.peer_id) as held
        from lizsync.links as l
        where (p_peer_id is null or l.peer_id = p_peer_id)
          and exists (select from lizsync.held_changes as h where h.peer_id = l.peer_id)
        order by l.peer_id
    loop
        perform lizsync.lock_link(v_link.peer_id);
        v_half := lizsync.apply_changes(
            gen_random_uuid(), v_link.peer_id, v_link.position, null, v_link.peer_position,
            case (select m.server_role from lizsync.server_metadata as m)
                when 'central' then '0'
                else coalesce(- v_link.clock_offset, '0')
            end,
            jsonb_build_object('from_ahead', lizsync.ahead_positions(v_link.peer_id)));
        -- it was no sync
        update lizsync.links as l
        set last_synchronised_at = v_link.last_synchronised_at
        where l.peer_id = v_link.peer_id;
        v_tried := v_tried + v_link.held;
        v_rows := v_rows + (v_half ->> 'rows')::bigint;
        v_conflicts := v_conflicts + (v_half ->> 'conflicts')::bigint;
        v_held := v_held + (v_half ->> 'held')::bigint;
    end loop;
    return jsonb_build_object('tried', v_tried, 'rows', v_rows, 'conflicts', v_conflicts, 'held', v_held);
end
$$;


--
-- Name: FUNCTION retry_held_changes(p_peer_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.retry_held_changes(p_peer_id uuid) IS 'Tries the held changes of a server (null: of all) again: how many were tried, rows changed here, conflicts found, changes still held. LZ004 when a sync of the link is running.';


--
-- Name: return_ranges(uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.return_ranges(p_clone_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- Numbers up to the last one that the central knows to be drawn stay the clone's: rows may have them. Ranges that it had
-- before those that it draws from are used up.
declare
    v_range record;
    v_used bigint;
begin
    lock table lizsync.sequences in exclusive mode;
    for v_range in
        select
            r.range_id, r.sequence_id, r.lower_value, r.upper_value, r.drawn_value, s.columns,
            coalesce(q.seqincrement, 1) as step, coalesce(q.seqincrement, 1) > 0 as ascends
        from lizsync.sequence_ranges as r
        join lizsync.sequences as s on s.sequence_id = r.sequence_id
        left join pg_sequence as q on q.seqrelid = s.sequence
        where r.clone_id = p_clone_id
          and not exists (
              select from lizsync.sequence_ranges as later
              where later.sequence_id = r.sequence_id and later.clone_id = r.clone_id
                and (later.confirmed_at, later.range_id) > (r.confirmed_at, r.range_id)
          )
    loop
        v_used := lizsync.find_value(v_range.columns, v_range.lower_value, v_range.upper_value, v_range.ascends);
        v_used := case when v_range.ascends then greatest(v_used, v_range.drawn_value) else least(v_used, v_range.drawn_value) end;
        if v_used is null then
            update lizsync.sequence_ranges as r set clone_id = null, confirmed_at = null where r.range_id = v_range.range_id;
        elsif v_range.ascends and v_range.upper_value - v_used >= v_range.step then
            update lizsync.sequence_ranges as r set upper_value = v_used where r.range_id = v_range.range_id;
            insert into lizsync.sequence_ranges (sequence_id, lower_value, upper_value)
            values (v_range.sequence_id, v_used + v_range.step, v_range.upper_value);
        elsif not v_range.ascends and v_used - v_range.lower_value >= - v_range.step then
            update lizsync.sequence_ranges as r set lower_value = v_used where r.range_id = v_range.range_id;
            insert into lizsync.sequence_ranges (sequence_id, lower_value, upper_value)
            values (v_range.sequence_id, v_range.lower_value, v_used + v_range.step);
        end if;
    end loop;
end
$$;


--
-- Name: FUNCTION return_ranges(p_clone_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.return_ranges(p_clone_id uuid) IS 'On the central, lets what a clone has not drawn from its ranges of sequences be given to others. It must not synchronise after that.';


--
-- Name: row_checksums(text, text, text[], uuid[], uuid[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.row_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[]) RETURNS TABLE(uid uuid, checksum bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET row_security TO 'off'
    AS $_$
begin
    -- closed intervals let an index on uid find both ends, where "is null or" would not
    return query execute format(
        $query$
            select t.uid, %s
            from unnest($1, $2) as r (range_start, range_end)
            join %s
                on t.uid >= coalesce(r.range_start, '00000000-0000-0000-0000-000000000000')
                and t.uid <= coalesce(r.range_end, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                and t.uid is distinct from r.range_end
        $query$,
        lizsync.row_hash_expression(p_columns),
        lizsync.compared_rows(p_schema_name, p_table_name)
    ) using p_range_starts, p_range_ends;
end
$_$;


--
-- Name: FUNCTION row_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.row_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[]) IS 'Checksum of the given columns of each row in the ranges, as lizsync.find_differing_ranges returns them.';


--
-- Name: row_hash_expression(text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.row_hash_expression(p_columns text[]) RETURNS text
    LANGUAGE sql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- The seed tells the columns apart. The outer hash binds the values to the row: a plain sum would not notice values
    -- that changed places between rows. A composite value of all columns could exceed the limit of 1 GB.
    select format(
        'hashint8extended(%s, 0)',
        string_agg(lizsync.value_hash_expression(c.column_name, c.seed::integer), ' # ' order by c.seed)
    )
    from (
        select 'uid', 0::bigint
        union all
        select * from unnest(p_columns) with ordinality
    ) as c (column_name, seed)
$$;


--
-- Name: FUNCTION row_hash_expression(p_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.row_hash_expression(p_columns text[]) IS 'SQL expression of a 64-bit hash of the uid and the given columns of t. The order of the columns counts.';


--
-- Name: row_transaction(xid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.row_transaction(p_xmin xid) RETURNS xid8
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- a row's xmin has 32 bits; of the transactions it can stand for it is the last one not after the present
    select (now_at.xid - ((now_at.xid - p_xmin::text::bigint) & 4294967295))::text::xid8
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xid) as now_at
$$;


--
-- Name: FUNCTION row_transaction(p_xmin xid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.row_transaction(p_xmin xid) IS 'The transaction that wrote a row, in 64 bits, from the row''s xmin.';


--
-- Name: sequence_states(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.sequence_states() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(jsonb_agg(jsonb_build_object(
        'columns', s.columns,
        'lower', q.seqmin::text,
        'upper', q.seqmax::text,
        'drawn', case when has_sequence_privilege(s.sequence, 'usage, select') then pg_sequence_last_value(s.sequence) end::text
    )), '[]')
    from lizsync.feeding_sequences(array(
        select to_regclass(format('%I.%I', l.schema_name, l.table_name)) from lizsync.link_relations as l
    )) as s
    join pg_sequence as q on q.seqrelid = s.sequence
$$;


--
-- Name: FUNCTION sequence_states(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.sequence_states() IS 'On a clone, the sequences that feed its synchronised columns: the columns, the bounds, and the last number that was drawn (null: none since the sequence was last set).';


--
-- Name: server_id(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.server_id() RETURNS uuid
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select m.server_id from lizsync.server_metadata as m
$$;


--
-- Name: FUNCTION server_id(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.server_id() IS 'The id of this server.';


--
-- Name: set_ranges(jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.set_ranges(p_ranges jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- The bounds and the start of the sequence itself are set, so that nothing in the clone leaves the range: not setval,
-- nor truncate ... restart identity, nor a cycle.
declare
    v_range record;
    v_lock_timeout constant text := current_setting('lock_timeout');
begin
    for v_range in
        select
            r.range ->> 'refusal' as refusal, r.range ->> 'hint' as hint,
            coalesce((r.range ->> 'keeps_range')::boolean, false) as keeps_range,
            (r.range ->> 'lower')::bigint as lower_value, (r.range ->> 'upper')::bigint as upper_value,
            (r.range ->> 'next')::bigint as next_value, (r.range ->> 'cycle')::boolean as cycle,
            (r.range ->> 'type')::regtype as type,
            s.sequence, q.seqincrement > 0 as ascends
        from jsonb_array_elements(p_ranges) as r (range)
        join lizsync.feeding_sequences(array(
            select to_regclass(format('%I.%I', l.schema_name, l.table_name)) from lizsync.link_relations as l
        )) as s on r.range -> 'columns' ?| s.columns
        join pg_sequence as q on q.seqrelid = s.sequence
        order by s.sequence
    loop
        if v_range.refusal is not null then
            raise warning using message = v_range.refusal, hint = v_range.hint;
            continue when v_range.keeps_range;
        end if;
        begin
            -- the lock waits for every transaction here that has drawn a number, and others that draw wait behind it
            perform set_config('lock_timeout', '2s', true);
            if v_range.lower_value is not null then
                execute format(
                    'alter sequence %s as %s minvalue %s maxvalue %s start with %s restart with %s %s',
                    v_range.sequence, v_range.type, v_range.lower_value, v_range.upper_value,
                    case when v_range.ascends then v_range.lower_value else v_range.upper_value end,
                    v_range.next_value, case when v_range.cycle then 'cycle' else 'no cycle' end);
            else
                -- without a range of its own it must not draw those of others: there are two numbers, and both are drawn
                execute format(
                    'alter sequence %s minvalue %s maxvalue %s start with %s restart with %s no cycle',
                    v_range.sequence,
                    case when v_range.ascends then 1 else -2 end, case when v_range.ascends then 2 else -1 end,
                    case when v_range.ascends then 1 else -1 end, case when v_range.ascends then 1 else -1 end);
                perform setval(v_range.sequence, case when v_range.ascends then 2 else -2 end);
            end if;
        exception
            when insufficient_privilege or invalid_parameter_value then
                raise warning using
                    message = format('the sequence %s of the clone cannot be given its range of numbers: %s', v_range.sequence, sqlerrm),
                    hint = case sqlstate
                        when '42501' then format('Let its owner run in the clone: alter sequence %s owner to %I', v_range.sequence, current_user)
                        else 'Give the column and the sequence the types that they have in the central.'
                    end;
            when lock_not_available then
                -- the next sync tries again
                null;
        end;
        perform set_config('lock_timeout', v_lock_timeout, true);
    end loop;
end
$$;


--
-- Name: FUNCTION set_ranges(p_ranges jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.set_ranges(p_ranges jsonb) IS 'On a clone, lets sequences draw from the ranges that lizsync.renew_ranges gave. A sequence that got none draws nothing; a warning says why.';


--
-- Name: shares_history(uuid, uuid, xid8); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.shares_history(p_central_id uuid, p_last_sync_id uuid, p_last_sync_transaction_id xid8) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- Two slots keep the ids of the last sync that this clone saw end and of the one that began after it. A crash leaves the
-- central at either. Another id there means that one of the two went back in time, or that this clone exists twice.
-- A sync whose transaction here was rolled back is no such case: the central keeps the transaction's id.
begin
    if exists (
        select from lizsync.links as l
        where l.peer_id = p_central_id
          and (l.last_sync_id is not distinct from p_last_sync_id or l.pending_sync_id is not distinct from p_last_sync_id)
    ) then
        return true;
    end if;
    return pg_xact_status(p_last_sync_transaction_id) is not distinct from 'aborted';
exception when invalid_parameter_value then
    -- a transaction of the future
    return false;
end
$$;


--
-- Name: FUNCTION shares_history(p_central_id uuid, p_last_sync_id uuid, p_last_sync_transaction_id xid8); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.shares_history(p_central_id uuid, p_last_sync_id uuid, p_last_sync_transaction_id xid8) IS 'On a clone, whether the last sync that its central knows, and the transaction here in which that began, are of its own past.';


--
-- Name: stage_changes(uuid, text[], text[], uuid[], "char"[], uuid[], timestamp with time zone[], timestamp with time zone[], text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.stage_changes(p_sync_id uuid, p_schema_names text[], p_table_names text[], p_uids uuid[], p_actions "char"[], p_origin_server_ids uuid[], p_changed_at timestamp with time zone[], p_corrected_at timestamp with time zone[], p_new_values text[]) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, YMD'
    SET "TimeZone" TO 'UTC'
    AS $$
    insert into lizsync.staged_changes (
        sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values
    )
    select
        p_sync_id, r.schema_name, r.table_name, r.uid, r.action, r.origin_server_id, r.changed_at, r.corrected_at,
        r.new_values::"public".hstore
    from unnest(
        p_schema_names, p_table_names, p_uids, p_actions, p_origin_server_ids, p_changed_at, p_corrected_at, p_new_values
    ) as r (schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values);

    select to_jsonb(cardinality(p_uids));
$$;


--
-- Name: FUNCTION stage_changes(p_sync_id uuid, p_schema_names text[], p_table_names text[], p_uids uuid[], p_actions "char"[], p_origin_server_ids uuid[], p_changed_at timestamp with time zone[], p_corrected_at timestamp with time zone[], p_new_values text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.stage_changes(p_sync_id uuid, p_schema_names text[], p_table_names text[], p_uids uuid[], p_actions "char"[], p_origin_server_ids uuid[], p_changed_at timestamp with time zone[], p_corrected_at timestamp with time zone[], p_new_values text[]) IS 'Stages net changes for lizsync.receive_changes, where COPY into lizsync.staged_changes is not possible; returns how many.';


--
-- Name: staged_parts(uuid, integer, uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.staged_parts(p_sync_id uuid, p_batch integer, p_sender_id uuid) RETURNS TABLE(schema_name text, table_name text, uid uuid, action "char", origin_server_id uuid, changed_at timestamp with time zone, corrected_at timestamp with time zone, new_values public.hstore)
    LANGUAGE sql STABLE
    AS $$
-- A clone speaks for itself only, and nothing happens later than now: whatever a clone claims, the central notes it as the
-- origin, and takes no time of the future. Batch 0 is what the sender delivered, the others this server decided itself.
    select
        p.schema_name, p.table_name, p.uid, p.action,
        case
            when p_batch > 0 then p.origin_server_id
            when (select m.server_role = 'central' from lizsync.server_metadata as m) then p_sender_id
            else coalesce(p.origin_server_id, p_sender_id)
        end,
        p.changed_at,
        case
            when p_batch > 0 then p.corrected_at
            when (select m.server_role = 'central' from lizsync.server_metadata as m)
                then least(coalesce(p.corrected_at, p.changed_at), (select clock_timestamp()))
            else coalesce(p.corrected_at, p.changed_at)
        end,
        p.new_values
    from lizsync.staged_changes as p
    where p.sync_id = p_sync_id and p.batch = p_batch
$$;


--
-- Name: FUNCTION staged_parts(p_sync_id uuid, p_batch integer, p_sender_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.staged_parts(p_sync_id uuid, p_batch integer, p_sender_id uuid) IS 'What is staged of a batch, with all that lizsync.staged_changes leaves out.';


--
-- Name: start_delivery(uuid, uuid, pg_snapshot); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.start_delivery(p_sync_id uuid, p_receiver_id uuid, p_from pg_snapshot) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- To be called in the repeatable read transaction that then reads lizsync.outgoing_changes: window and position come
-- from one snapshot. (lizsync.synchronize, which runs in a caller's read committed transaction, does it in one statement.)
-- What is large is committed part by part at the receiver.
declare
    v_clone_name text;
begin
    perform lizsync.await_link(p_receiver_id);
    select l.peer_name into v_clone_name
    from lizsync.links as l
    cross join lizsync.server_metadata as m
    where l.peer_id = p_receiver_id
      and m.server_role = 'central'
      and (l.expired_at is not null or pg_snapshot_xmin(p_from) < m.pruned_before);
    if found then
        raise exception using
            errcode = 'LZ001',
            message = format('the clone %s was away for too long: the central no longer keeps what it has not received', v_clone_name),
            detail = 'The changes of the clone have been sent.',
            hint = 'Make a new package of the central (lizsync package) and deploy it to the clone.';
    end if;
    if (select m.server_role from lizsync.server_metadata as m) = 'clone'
       and p_sync_id is distinct from (select l.pending_sync_id from lizsync.links as l where l.peer_id = p_receiver_id) then
        raise exception using
            errcode = 'LZ004',
            message = 'another sync of this link has begun in the meantime',
            hint = 'Wait until it has finished.';
    end if;
    perform lizsync.await_flush();
    return jsonb_build_object(
        'position', lizsync.current_position(),
        'has_changes', lizsync.has_events(p_from, p_receiver_id, false),
        'is_large', lizsync.has_many_events(p_from)
    );
end
$$;


--
-- Name: FUNCTION start_delivery(p_sync_id uuid, p_receiver_id uuid, p_from pg_snapshot); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.start_delivery(p_sync_id uuid, p_receiver_id uuid, p_from pg_snapshot) IS 'The position of a delivery to p_receiver_id, which has p_from, whether its window has anything for it, and whether it is large. LZ001: a central that no longer has all of it; the other half of the sync, the changes of the clone, is done then.';


--
-- Name: start_incoming(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.start_incoming() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    -- one row to apply: all parts of a staged row together, its values as they came and, where some lost, as they are written
    create temporary table lizsync_incoming (
        row_id integer generated always as identity,
        batch integer not null,
        relation regclass not null,
        schema_name text not null,
        table_name text not null,
        uid uuid not null,
        action "char" not null,
        new_values "public".hstore,
        remaining_values "public".hstore,
        -- the only writer; of several, each is a row of lizsync_incoming_parts
        several_parts boolean not null,
        origin_server_id uuid,
        changed_at timestamp with time zone,
        corrected_at timestamp with time zone,
        -- null: the change counts as made here and travels to every other server, the sender included
        received_from uuid,
        -- as the change supposes, until lizsync.lock_rows has looked
        exists_here boolean not null,
        -- the whole row before the change, where triggers of the user may change more of it
        row_before "public".hstore,
        -- columns that this server had changed to the same value: logged although nothing changes
        agreed_columns text[] not null default '{}',
        -- a: to apply, s: nothing to do, h: to hold
        state "char" not null default 'a',
        sqlstate text,
        message text,
        held_id bigint,
        held_since timestamp with time zone,
        held_position text,
        held_sqlstate text,
        -- the received row that made this server decide something about another one
        cause_row_id integer
    ) on commit drop;

    -- the tables of each batch, whose rows stand together
    create temporary table lizsync_incoming_relations (
        batch integer not null,
        relation regclass not null,
        schema_name text not null,
        table_name text not null,
        first_row integer not null,
        last_row integer not null
    ) on commit drop;

    create temporary table lizsync_incoming_parts (
        row_id integer not null,
        action "char" not null,
        origin_server_id uuid not null,
        changed_at timestamp with time zone not null,
        corrected_at timestamp with time zone,
        new_values "public".hstore
    ) on commit drop;

    create temporary view lizsync_writers as
    select i.row_id, i.action, i.origin_server_id, i.changed_at, i.corrected_at, i.new_values
    from pg_temp.lizsync_incoming as i
    where not i.several_parts
    union all
    select p.row_id, p.action, p.origin_server_id, p.changed_at, p.corrected_at, p.new_values
    from pg_temp.lizsync_incoming_parts as p;

    create temporary table lizsync_found_conflicts (
        row_id integer,
        schema_name text not null,
        table_name text not null,
        uid uuid not null,
        kind text not null,
        winner_server_id uuid,
        loser_server_id uuid,
        winner_changed_at timestamp with time zone,
        loser_changed_at timestamp with time zone,
        winning_values "public".hstore,
        losing_values "public".hstore
    ) on commit drop;
end
$$;


--
-- Name: FUNCTION start_incoming(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.start_incoming() IS 'Creates the working tables of one lizsync.apply_changes.';


--
-- Name: store_central_connection(text[], text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.store_central_connection(p_server_options text[], p_mapping_options text[]) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
-- Options are pairs, name and value, one after the other. Which of them there are depends on the libpq of this server, so
-- each is tried; names of those that it does not know are returned.
declare
    v_options text[];
    v_catalog regclass;
    v_clauses text := '';
    v_unknown text[] := '{}';
    v_old text;
begin
    if not has_foreign_data_wrapper_privilege('dblink_fdw', 'usage') then
        raise exception using errcode = 'LZ001',
            message = format('%I may not use the foreign data wrapper dblink_fdw', current_user),
            hint = format('Let a superuser run: grant usage on foreign data wrapper dblink_fdw to %I;', current_user);
    end if;
    foreach v_catalog in array array['pg_foreign_server', 'pg_user_mapping']::regclass[] loop
        v_options := case when v_catalog = 'pg_foreign_server'::regclass then p_server_options else p_mapping_options end;
        v_clauses := '';
        for i in 1 .. coalesce(array_length(v_options, 1), 0) by 2 loop
            begin
                perform "public".dblink_fdw_validator(array[v_options[i] || '=' || v_options[i + 1]], v_catalog);
                v_clauses := v_clauses || format(', %I %L', v_options[i], v_options[i + 1]);
            exception when fdw_invalid_option_name or fdw_option_name_not_found or undefined_object then
                v_unknown := v_unknown || v_options[i];
            end;
        end loop;
        v_clauses := substr(v_clauses, 3);

        if v_catalog = 'pg_user_mapping'::regclass then
            execute 'drop user mapping if exists for current_user server lizsync_central';
            execute format('create user mapping for current_user server lizsync_central options (%s)', v_clauses);
        elsif exists (select from pg_foreign_server as s where s.srvname = 'lizsync_central') then
            select string_agg(format('drop %I', o.option_name), ', ') into v_old
            from pg_foreign_server as s, pg_options_to_table(s.srvoptions) as o
            where s.srvname = 'lizsync_central';
            execute format('alter server lizsync_central options (%s)', coalesce(v_old, v_clauses));
            if v_old is not null then
                execute format('alter server lizsync_central options (%s)', v_clauses);
            end if;
        else
            execute format(
                'create server lizsync_central foreign data wrapper dblink_fdw options (%s)', v_clauses
            );
        end if;
    end loop;
    return v_unknown;
end
$$;


--
-- Name: FUNCTION store_central_connection(p_server_options text[], p_mapping_options text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.store_central_connection(p_server_options text[], p_mapping_options text[]) IS 'Stores how this clone reaches its central: the foreign server lizsync_central, and the mapping of the current user.';


--
-- Name: synchronised_columns(text, text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.synchronised_columns(p_schema_name text, p_table_name text) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(array_agg(a.attname::text order by a.attname::text collate "C"), '{}')
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_attribute as a on a.attrelid = c.oid
    left join audit.logged_relations as r on r.schema_name = n.nspname and r.table_name = c.relname
    where n.nspname = p_schema_name
      and c.relname = p_table_name
      and a.attnum > 0
      and not a.attisdropped
      and a.attname <> 'uid'
      and a.attgenerated = ''
      and a.attname <> all (coalesce(r.excluded_columns, '{}'))
$$;


--
-- Name: FUNCTION synchronised_columns(p_schema_name text, p_table_name text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.synchronised_columns(p_schema_name text, p_table_name text) IS 'Columns of a table whose values are synchronised, by name: all but uid, generated and excluded ones.';


--
-- Name: synchronize(text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.synchronize(p_tables text[] DEFAULT NULL::text[]) RETURNS TABLE(number_replayed_to_central bigint, number_replayed_to_clone bigint, number_conflicts bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
-- The steps of the command line, with dblink as the line. What the caller has not committed is not sent. When the caller
-- rolls back, what the central has received stays there, and the next sync goes on from that.
declare
    v_connection constant text := 'lizsync_central';
    v_server_id uuid;
    v_clone jsonb;
    v_central jsonb;
    v_central_id uuid;
    v_begun jsonb;
    v_details jsonb;
    v_asked_at timestamp with time zone;
    v_answered_at timestamp with time zone;
    v_clock_offset_ms double precision;
    v_position pg_snapshot;
    v_delivery jsonb;
    v_chunk record;
    v_push jsonb;
    v_pull jsonb;
begin
    if pg_xact_status((select lizsync.row_transaction(l.xmin) from lizsync.links as l limit 1)) = 'in progress' then
        raise exception using
            errcode = 'LZ002',
            message = 'this transaction has already synchronised',
            hint = 'Commit before you synchronise again.';
    end if;
    v_clone := lizsync.get_clone_state(p_tables);
    v_server_id := (v_clone ->> 'server_id')::uuid;
    v_central_id := (v_clone ->> 'central_id')::uuid;

    -- left over when an earlier call was cancelled
    if v_connection = any ("public".dblink_get_connections()) then
        perform "public".dblink_disconnect(v_connection);
    end if;
    perform "public".dblink_connect(v_connection, 'lizsync_central');

    begin
        v_asked_at := clock_timestamp();
        v_central := lizsync.ask_central(v_connection, format('select lizsync.open_sync(%L)', v_clone));
        v_answered_at := clock_timestamp();

        if v_central -> 'different_tables' <> '[]' then
            perform lizsync.check_same_structure(
                lizsync.describe_columns(v_central_id, array(select jsonb_array_elements_text(v_central -> 'different_tables'))),
                lizsync.ask_central(v_connection, format('select lizsync.describe_columns(%L, %L)', v_server_id,
                    array(select jsonb_array_elements_text(v_central -> 'different_tables')))));
        end if;

        v_begun := lizsync.begin_sync(
            v_central,
            1000 * (extract(epoch from v_asked_at + (v_answered_at - v_asked_at) / 2) - (v_central ->> 'clock')::numeric),
            500 * extract(epoch from v_answered_at - v_asked_at));
        v_clock_offset_ms := (v_begun ->> 'clock_offset_ms')::double precision;
        v_details := jsonb_build_object(
            'transport', 'sql', 'clock_offset_ms', v_clock_offset_ms, 'transaction_id', v_begun ->> 'transaction_id',
            'sequences', v_begun -> 'sequences');

        -- push
        -- a row that somebody keeps locked there must end in an error: dblink does not listen while it waits
        perform "public".dblink_exec(
            v_connection, $sql$begin isolation level read committed; set local lock_timeout = '60s'$sql$);
        for v_chunk in
            select * from lizsync.outgoing_chunks(
                v_central_id, (v_central ->> 'position')::pg_snapshot, v_central -> 'ahead', nullif(v_clone -> 'tables', 'null'),
                make_interval(secs => - v_clock_offset_ms / 1000))
        loop
            v_position := v_chunk.current_position;
            if v_chunk.rows is not null then
                perform lizsync.ask_central(v_connection, format(
                    'select lizsync.stage_changes(%L, %s)', v_begun ->> 'sync_id', v_chunk.rows));
            end if;
        end loop;
        -- neither what was sent nor the number of this transaction may be forgotten here once the central has them
        perform lizsync.await_flush();
        v_push := lizsync.ask_central(v_connection, format(
            'select lizsync.receive_changes(%L, %L, %L, %L, %L, %L)',
            v_begun ->> 'sync_id', v_server_id, v_central ->> 'position', v_position, v_clone ->> 'position',
            v_details || jsonb_build_object('scope', jsonb_build_object(
                'tables', v_clone -> 'tables', 'from_ahead', v_central -> 'ahead', 'sender_ahead', v_clone -> 'ahead'))));
        perform "public".dblink_exec(v_connection, 'commit');

        -- pull
        perform "public".dblink_exec(v_connection, 'begin isolation level repeatable read');
        v_delivery := lizsync.ask_central(v_connection, format(
            'select lizsync.start_delivery(%L, %L, %L)', v_begun ->> 'sync_id', v_server_id, v_clone ->> 'position'));
        if (v_delivery ->> 'has_changes')::boolean then
            insert into lizsync.staged_changes (
                sync_id, schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values
            )
            select
                (v_begun ->> 'sync_id')::uuid, r.schema_name, r.table_name, r.uid, r.action::"char", r.origin_server_id,
                r.changed_at, r.corrected_at, r.new_values
            from "public".dblink(v_connection, format(
                'select schema_name, table_name, uid, action, origin_server_id, changed_at, corrected_at, new_values '
                'from lizsync.outgoing_changes(%L, %L, %L, %L, ''0'')',
                v_server_id, v_clone ->> 'position', v_clone -> 'ahead', nullif(v_clone -> 'tables', 'null')
            )) as r (
                schema_name text, table_name text, uid uuid, action text, origin_server_id uuid,
                changed_at timestamp with time zone, corrected_at timestamp with time zone, new_values "public".hstore
            );
        end if;
        v_pull := lizsync.receive_changes(
            (v_begun ->> 'sync_id')::uuid, v_central_id, (v_clone ->> 'position')::pg_snapshot,
            (v_delivery ->> 'position')::pg_snapshot, (v_push ->> 'position')::pg_snapshot,
            v_details || jsonb_build_object('push', v_push, 'scope', jsonb_build_object(
                'tables', v_clone -> 'tables', 'from_ahead', v_clone -> 'ahead', 'sender_ahead', v_push -> 'ahead')));
        perform "public".dblink_exec(v_connection, 'commit');
    -- others does not stand for a cancelled statement, and the central would keep its transaction and its locks
    exception when others or query_canceled then
        perform "public".dblink_disconnect(v_connection);
        raise;
    end;
    perform "public".dblink_disconnect(v_connection);

    if (v_push ->> 'held')::integer + (v_pull ->> 'held')::integer > 0 then
        raise warning using
            message = format('%s changes could not be applied in the central and %s in this clone; they are held and tried again at each sync',
                             v_push ->> 'held', v_pull ->> 'held'),
            hint = 'lizsync held lists them and says why; so does the table lizsync.held_changes there.';
    end if;
    return query select
        (v_push ->> 'rows')::bigint, (v_pull ->> 'rows')::bigint,
        (v_push ->> 'conflicts')::bigint + (v_pull ->> 'conflicts')::bigint;
end
$_$;


--
-- Name: FUNCTION synchronize(p_tables text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.synchronize(p_tables text[]) IS 'Synchronises this clone with its central, both ways (p_tables: only these, named as in SQL; null: all): rows changed in the central, rows changed here, conflicts.';


--
-- Name: table_checksum(text, text, text[]); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.table_checksum(p_schema_name text, p_table_name text, p_columns text[]) RETURNS TABLE(row_count bigint, checksum numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO'
    SET "IntervalStyle" TO 'postgres'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET bytea_output TO 'hex'
    SET lc_monetary TO 'C'
    SET row_security TO 'off'
    AS $$
begin
    return query execute format(
        'select count(*), coalesce(sum(%s), 0) from %s',
        lizsync.row_hash_expression(p_columns),
        lizsync.compared_rows(p_schema_name, p_table_name)
    );
end
$$;


--
-- Name: FUNCTION table_checksum(p_schema_name text, p_table_name text, p_columns text[]); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.table_checksum(p_schema_name text, p_table_name text, p_columns text[]) IS 'Number of rows of a table and a checksum of the given columns that does not depend on the order of the rows.';


--
-- Name: take_stage(uuid, uuid, uuid); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.take_stage(p_sender_id uuid, p_sync_id uuid, p_resumed_sync_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_digest numeric;
begin
    if p_resumed_sync_id is not null then
        select (p.new_values operator("public".->) 'digest')::numeric into v_digest
        from lizsync.staged_changes as p
        where p.sync_id = p_sync_id and p.action = 'C';
        if not exists (select from lizsync.stages as s where s.sync_id = p_resumed_sync_id and s.peer_id = p_sender_id)
           or lizsync.merge_stage(p_resumed_sync_id, p_sync_id) is distinct from v_digest then
            raise exception using
                errcode = 'LZ005',
                message = 'what is left here of a sync that broke off is not what the other server sent',
                hint = 'Nothing was lost. Synchronise again with --no-resume.';
        end if;
    end if;
    delete from lizsync.stages as s where s.sync_id = p_sync_id;
    perform lizsync.drop_stages(array(select s.sync_id from lizsync.stages as s where s.peer_id = p_sender_id));
end
$$;


--
-- Name: FUNCTION take_stage(p_sender_id uuid, p_sync_id uuid, p_resumed_sync_id uuid); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.take_stage(p_sender_id uuid, p_sync_id uuid, p_resumed_sync_id uuid) IS 'When a delivery is complete, brings it together with the one that it went on from (null: none), and forgets others of the sender. LZ005: they do not fit, as when the sender''s database is not the same any more.';


--
-- Name: try_rows(regclass, integer, integer, boolean); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.try_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean, OUT changed integer, OUT failed integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    v_middle integer;
    v_half record;
    v_sqlstate text;
    v_message text;
begin
    changed := 0;
    failed := 0;
    if p_from_row >= p_to_row then
        return;
    end if;
    begin
        changed := lizsync.apply_rows(p_relation, p_from_row, p_to_row, p_replace);
        return;
    exception when others then
        if not lizsync.is_row_error(sqlstate) then
            raise;
        end if;
        v_sqlstate := sqlstate;
        v_message := sqlerrm;
    end;
    if p_to_row - p_from_row = 1 then
        update pg_temp.lizsync_incoming as i
        set state = 'f', sqlstate = v_sqlstate, message = v_message
        where i.row_id = p_from_row;
        failed := 1;
        return;
    end if;
    v_middle := (p_from_row + p_to_row) / 2;
    for v_half in
        select t.changed, t.failed
        from (values (p_from_row, v_middle), (v_middle, p_to_row)) as h (from_row, to_row)
        cross join lateral lizsync.try_rows(p_relation, h.from_row, h.to_row, p_replace) as t
    loop
        changed := changed + v_half.changed;
        failed := failed + v_half.failed;
    end loop;
end
$$;


--
-- Name: FUNCTION try_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean, OUT changed integer, OUT failed integer); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.try_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean, OUT changed integer, OUT failed integer) IS 'lizsync.apply_rows for all rows or, if that fails, for halves of them; a row that fails alone gets state f. Returns how many rows changed and how many failed.';


--
-- Name: uid_status(regclass); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.uid_status(p_relation regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        case
            when a.attnum is null then 'missing'
            when a.attnotnull
                and a.atthasdef
                and not exists (
                    select
                    from lizsync.partition_tree(p_relation) as p
                    where p.is_leaf and not lizsync.has_unique_uid(p.relation)
                ) then 'present'
            else 'incomplete'
        end
    from (select) as one_row
    left join pg_attribute as a on a.attrelid = p_relation and a.attname = 'uid' and not a.attisdropped
$$;


--
-- Name: FUNCTION uid_status(p_relation regclass); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.uid_status(p_relation regclass) IS 'Whether the column uid of a table is missing, present, or incomplete: without default, NOT NULL or unique partitions.';


--
-- Name: unsent_changes(pg_snapshot, jsonb); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.unsent_changes(p_position pg_snapshot, p_ahead jsonb) RETURNS TABLE(change json)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO'
    SET "TimeZone" TO 'UTC'
    AS $$
    select json_build_object(
        'event_id', e.event_id,
        'changed_at', e.changed_at,
        'schema', r.schema_name,
        'table', r.table_name,
        'action', e.action,
        'uid', e.uid,
        'old_values', "public".hstore_to_json(e.old_values),
        'new_values', "public".hstore_to_json(e.new_values)
    )
    from audit.logged_actions as e
    left join audit.logged_relations as r on r.relation_id = e.relation_id
    left join jsonb_to_recordset(p_ahead) as t (schema_name text, table_name text, position pg_snapshot)
        on t.schema_name = r.schema_name and t.table_name = r.table_name
    where e.received_from is null
      and (
          p_position is null
          or e.transaction_id >= pg_snapshot_xmin(p_position)
             and not pg_visible_in_snapshot(e.transaction_id, p_position)
             and pg_visible_in_snapshot(e.transaction_id, t.position) is not true
      )
    order by e.event_id
$$;


--
-- Name: FUNCTION unsent_changes(p_position pg_snapshot, p_ahead jsonb); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.unsent_changes(p_position pg_snapshot, p_ahead jsonb) IS 'Changes made here that a central does not have which got the log up to p_position (of some tables more: p_ahead); null: which got nothing of it.';


--
-- Name: update_rows(regclass, integer, integer, integer, text[], boolean, boolean); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.update_rows(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_columns text[], p_several_parts boolean, p_replace boolean) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    v_before text;
    v_change text;
    v_columns text[];
    v_rows integer;
begin
    if p_columns is null then
        return 0;
    end if;

    -- the values as they are, and which of them really change. No new_values among what is kept: a row of all three could be
    -- larger than PostgreSQL allows
    v_before := format($sql$
        with wanted as materialized (
            select
                b.row_id, b.uid, b.received_from, b.several_parts, b.origin_server_id, b.changed_at, b.corrected_at, b.old_values,
                case cardinality(b.agreed_columns)
                    when 0 then b.new_values operator("public".-) b.old_values
                    else "public".slice(
                        b.new_values,
                        "public".akeys(b.new_values operator("public".-) b.old_values) || b.agreed_columns)
                end as changes
            from (
                select
                    i.row_id, i.uid, i.received_from, i.several_parts, i.origin_server_id, i.changed_at, i.corrected_at,
                    i.agreed_columns, coalesce(i.remaining_values, i.new_values) as new_values,
                    "public".hstore(c.*) as old_values
                from pg_temp.lizsync_incoming as i
                join %1$s as t on t.uid = i.uid
                cross join lateral (select %2$s) as c
                where i.row_id >= $1 and i.row_id < $2 and i.state = 'a' and i.action <> 'D' and i.exists_here
                offset 0
            ) as b
        ), written as (
            select
                w.uid, w.received_from, w.origin_server_id, w.changed_at, w.corrected_at, w.old_values, w.changes
            from wanted as w
            where not w.several_parts
            %3$s
        ), logged as (
            insert into audit.logged_actions (
                changed_at, corrected_at, relation_id, action, uid, origin_server_id, received_from, old_values, new_values
            )
            select
                w.changed_at, w.corrected_at, $3, 'U', w.uid, nullif(w.origin_server_id, $4), w.received_from,
                "public".slice(w.old_values, "public".akeys(w.changes)), w.changes
            from written as w
            where w.changes operator("public".<>) ''
        )$sql$,
        p_relation,
        (select string_agg(format('t.%I', c.column_name), ', ') from unnest(p_columns) as c (column_name)),
        case when p_several_parts then $sql$
            union all
            select
                w.uid, w.received_from, p.origin_server_id, p.changed_at, p.corrected_at, w.old_values,
                "public".slice(w.changes, "public".akeys(p.new_values))
            from wanted as w
            join pg_temp.lizsync_incoming_parts as p on p.row_id = w.row_id
            where w.several_parts$sql$ else '' end
    );

    if p_replace then
        select array_agg(a.attname::text) into v_columns
        from pg_attribute as a
        where a.attrelid = p_relation and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';

        v_change := format($sql$
            , removed as (
                delete from %1$s as t
                using wanted as w
                where t.uid = w.uid and w.changes operator("public".<>) ''
                returning t.uid, "public".hstore(t.*) operator("public".||) w.changes as new_values
            ), changed as (
                insert into %1$s (%2$s)
                overriding system value
                select %3$s
                from (select * from removed order by uid) as r  -- the sort takes all rows out before the first comes back
                returning 1
            )$sql$,
            p_relation,
            (select string_agg(format('%I', c.column_name), ', ') from unnest(v_columns) as c (column_name)),
            (
                select string_agg(lizsync.value_expression(p_relation, c.column_name, 'r.new_values'), ', ')
                from unnest(v_columns) as c (column_name)
            )
        );
    else
        v_change := format($sql$
            , changed as (
                update %1$s as t
                set %2$s
                from wanted as w
                where t.uid = w.uid and w.changes operator("public".<>) ''
                returning 1
            )$sql$,
            p_relation,
            (
                select string_agg(
                    format('%1$I = case when "public".exist(w.changes, %1$L) then %2$s else t.%1$I end',
                           c.column_name, lizsync.value_expression(p_relation, c.column_name, 'w.changes')),
                    ', ')
                from unnest(p_columns) as c (column_name)
                join pg_attribute as a on a.attrelid = p_relation and a.attname = c.column_name
            )
        );
    end if;

    execute v_before || v_change || ' select count(*) from changed'
    into v_rows
    using p_from_row, p_to_row, p_relation_id, lizsync.server_id();
    return v_rows;
end
$_$;


--
-- Name: FUNCTION update_rows(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_columns text[], p_several_parts boolean, p_replace boolean); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.update_rows(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_columns text[], p_several_parts boolean, p_replace boolean) IS 'The part of lizsync.apply_rows for rows that are there: writes and logs the columns of p_columns whose value changes.';


--
-- Name: value_expression(regclass, text, text); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.value_expression(p_relation regclass, p_column_name text, p_values text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    -- without type modifier: an explicit cast to varchar(3) would cut, the assignment that follows checks
    select format('(%s operator("public".->) %L)::%s', p_values, a.attname, format_type(a.atttypid, -1))
    from pg_attribute as a
    where a.attrelid = p_relation and a.attname = p_column_name and a.attnum > 0
$$;


--
-- Name: FUNCTION value_expression(p_relation regclass, p_column_name text, p_values text); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.value_expression(p_relation regclass, p_column_name text, p_values text) IS 'SQL expression of a column''s value, in its type, out of the hstore expression p_values.';


--
-- Name: value_hash_expression(text, integer); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.value_hash_expression(p_column_name text, p_seed integer) RETURNS text
    LANGUAGE sql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    -- concat() calls the output function of the type, where a cast to text may be somebody's own; collation "C" compares
    -- bytes, where others may ignore case. In other encodings the bytes of UTF-8 get the hash that the text has in UTF-8.
    -- "is not null" would be false for a composite value with a null in it.
    select format(
        'case when t.%1$I is distinct from null then '
            || case
                when current_setting('server_encoding') in ('UTF8', 'SQL_ASCII')
                    then 'hashtextextended(concat(t.%1$I) collate "C", %2$s)'
                else 'hash_record_extended(row(convert_to(concat(t.%1$I), ''UTF8'')), %2$s)'
            end
            || ' else 0 end',
        p_column_name,
        p_seed
    )
$_$;


--
-- Name: FUNCTION value_hash_expression(p_column_name text, p_seed integer); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.value_hash_expression(p_column_name text, p_seed integer) IS 'SQL expression of a 64-bit hash of the text of a column of t, 0 for null: the same on all versions and encodings under pinned output settings.';


--
-- Name: warn_of_used_range(); Type: FUNCTION; Schema: lizsync; Owner: -
--

CREATE FUNCTION lizsync.warn_of_used_range() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
-- Runs before each insert on a clone. Whether the statement draws numbers is not known yet, so it may go on: if it draws,
-- PostgreSQL's own error follows. Must never fail, and costs a few microseconds: no settings, no catalog is queried.
declare
    v_sequence pg_catalog.regclass;
    v_limits record;
begin
    for v_number in 0 .. tg_nargs operator(pg_catalog.-) 1 loop
        v_sequence := pg_catalog.to_regclass(tg_argv[v_number]);
        -- one that was renamed, or that the owner of lizsync may not read
        continue when v_sequence is null or not pg_catalog.has_sequence_privilege(v_sequence, 'usage, select');
        v_limits := pg_catalog.pg_sequence_parameters(v_sequence);
        if (case
            when v_limits.cycle_option then false
            when v_limits.increment operator(pg_catalog.>) 0 then
                pg_catalog.pg_sequence_last_value(v_sequence)::pg_catalog.numeric operator(pg_catalog.>)
                    (v_limits.maximum_value::pg_catalog.numeric operator(pg_catalog.-) v_limits.increment::pg_catalog.numeric)
            else
                pg_catalog.pg_sequence_last_value(v_sequence)::pg_catalog.numeric operator(pg_catalog.<)
                    (v_limits.minimum_value::pg_catalog.numeric operator(pg_catalog.-) v_limits.increment::pg_catalog.numeric)
        end) then
            raise warning using
                message = pg_catalog.format('the numbers that this clone has of the sequence %s are used up', tg_argv[v_number]),
                hint = 'Synchronise, and it gets more: lizsync sync, or select * from lizsync.synchronize(); until then '
                    'only rows that bring their own numbers can be inserted.';
        end if;
    end loop;
    return null;
end
$$;


--
-- Name: FUNCTION warn_of_used_range(); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON FUNCTION lizsync.warn_of_used_range() IS 'Trigger before each insert on a clone: warns when a sequence that its arguments name has no number left, and says what to do.';


--
-- Name: merge_values(public.hstore); Type: AGGREGATE; Schema: lizsync; Owner: -
--

CREATE AGGREGATE lizsync.merge_values(public.hstore) (
    SFUNC = public.hs_concat,
    STYPE = public.hstore
);


--
-- Name: AGGREGATE merge_values(public.hstore); Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON AGGREGATE lizsync.merge_values(public.hstore) IS 'All pairs of the values; where a key occurs several times the last one counts.';


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: logged_actions; Type: TABLE; Schema: audit; Owner: -
--

CREATE TABLE audit.logged_actions (
    event_id bigint NOT NULL,
    transaction_id xid8 DEFAULT pg_current_xact_id() NOT NULL,
    statement_id bigint,
    changed_at timestamp with time zone NOT NULL,
    corrected_at timestamp with time zone,
    relation_id integer NOT NULL,
    action "char" NOT NULL,
    uid uuid NOT NULL,
    origin_server_id uuid,
    received_from uuid,
    old_values public.hstore,
    new_values public.hstore,
    unlogged_columns text[],
    CONSTRAINT logged_actions_action_check CHECK ((action = ANY (ARRAY['I'::"char", 'U'::"char", 'D'::"char"])))
);


--
-- Name: TABLE logged_actions; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON TABLE audit.logged_actions IS 'One event for each change of one row of an audited table, values as PostgreSQL''s own text.';


--
-- Name: COLUMN logged_actions.statement_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_actions.statement_id IS 'Row of audit.logged_statements; null for a change that synchronisation applied.';


--
-- Name: COLUMN logged_actions.changed_at; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_actions.changed_at IS 'Time of the change by the clock of the server where it was made.';


--
-- Name: COLUMN logged_actions.corrected_at; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_actions.corrected_at IS 'Time of the change by the clock of the central; null for a change made here, it is corrected when it is sent.';


--
-- Name: COLUMN logged_actions.origin_server_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_actions.origin_server_id IS 'Server where the change was made; null: here.';


--
-- Name: COLUMN logged_actions.received_from; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_actions.received_from IS 'Server that sent the change; null: made here.';


--
-- Name: COLUMN logged_actions.old_values; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_actions.old_values IS 'Values before the change: of the changed columns (U), of all columns (D), null (I).';


--
-- Name: COLUMN logged_actions.new_values; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_actions.new_values IS 'Values after the change: of the changed columns (U), of all columns (I), null (D).';


--
-- Name: COLUMN logged_actions.unlogged_columns; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_actions.unlogged_columns IS 'Columns whose values were too large to be logged: null in new_values, not in old_values. Null: everything was logged.';


--
-- Name: event_id_sequence; Type: SEQUENCE; Schema: audit; Owner: -
--

CREATE SEQUENCE audit.event_id_sequence
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: event_id_sequence; Type: SEQUENCE OWNED BY; Schema: audit; Owner: -
--

ALTER SEQUENCE audit.event_id_sequence OWNED BY audit.logged_actions.event_id;


--
-- Name: logged_relations; Type: TABLE; Schema: audit; Owner: -
--

CREATE TABLE audit.logged_relations (
    relation_id integer NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    excluded_columns text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE logged_relations; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON TABLE audit.logged_relations IS 'Audited tables. The audit triggers carry relation_id as their argument; partitions log under the name of their root.';


--
-- Name: logged_relations_relation_id_seq; Type: SEQUENCE; Schema: audit; Owner: -
--

ALTER TABLE audit.logged_relations ALTER COLUMN relation_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit.logged_relations_relation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: logged_statements; Type: TABLE; Schema: audit; Owner: -
--

CREATE TABLE audit.logged_statements (
    statement_id bigint NOT NULL,
    transaction_id xid8 NOT NULL,
    logged_at timestamp with time zone NOT NULL,
    session_user_name text NOT NULL,
    application_name text,
    client_address inet,
    client_query text
);


--
-- Name: TABLE logged_statements; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON TABLE audit.logged_statements IS 'Who changed audited rows and how: one row for each statement that changed at least one row.';


--
-- Name: COLUMN logged_statements.client_query; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.logged_statements.client_query IS 'Text that the client sent, at most the first 10,000 characters.';


--
-- Name: logged_statements_statement_id_seq; Type: SEQUENCE; Schema: audit; Owner: -
--

ALTER TABLE audit.logged_statements ALTER COLUMN statement_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit.logged_statements_statement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: applied_routines; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.applied_routines (
    only_row boolean DEFAULT true NOT NULL,
    sha256 text NOT NULL,
    triggers_sha256 text NOT NULL,
    tool_version text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT applied_routines_only_row_check CHECK (only_row)
);


--
-- Name: TABLE applied_routines; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.applied_routines IS 'Which set of functions this database has: they are not migrated but replaced as a whole when the set differs.';


--
-- Name: conflicts; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.conflicts (
    conflict_id bigint NOT NULL,
    sync_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    uid uuid NOT NULL,
    kind text NOT NULL,
    winner_server_id uuid,
    loser_server_id uuid,
    winner_changed_at timestamp with time zone,
    loser_changed_at timestamp with time zone,
    winning_values public.hstore,
    losing_values public.hstore,
    resolved_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT conflicts_kind_check CHECK ((kind = ANY (ARRAY['update_update'::text, 'delete_update'::text, 'update_delete'::text, 'foreign_key_cascade'::text, 'foreign_key_set'::text, 'foreign_key_restore'::text, 'held_discarded'::text])))
);


--
-- Name: TABLE conflicts; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.conflicts IS 'Changes that two servers made to the same thing, and how they were resolved.';


--
-- Name: conflicts_conflict_id_seq; Type: SEQUENCE; Schema: lizsync; Owner: -
--

ALTER TABLE lizsync.conflicts ALTER COLUMN conflict_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lizsync.conflicts_conflict_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: deployments; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.deployments (
    clone_id uuid NOT NULL,
    clone_name text NOT NULL,
    clone_system_identifier bigint NOT NULL,
    clone_database_oid oid NOT NULL,
    clone_position pg_snapshot NOT NULL,
    clone_transaction_id xid8 NOT NULL,
    sync_id uuid NOT NULL,
    package_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE deployments; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.deployments IS 'Deployments that the clone may have committed or not: a link is made of one, or changed, once the clone is known to have it.';


--
-- Name: granted_roles; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.granted_roles (
    role_name text NOT NULL,
    peer_id uuid NOT NULL
);


--
-- Name: TABLE granted_roles; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.granted_roles IS 'Roles that may synchronise a link without owning anything: who a clone is follows from the role that connects.';


--
-- Name: held_change_parts; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.held_change_parts (
    held_id bigint NOT NULL,
    action "char" NOT NULL,
    origin_server_id uuid NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    corrected_at timestamp with time zone NOT NULL,
    new_values public.hstore,
    CONSTRAINT held_change_parts_action_check CHECK ((action = ANY (ARRAY['I'::"char", 'U'::"char", 'D'::"char"])))
);


--
-- Name: TABLE held_change_parts; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.held_change_parts IS 'The net change of a held row, one part for each writer, as in lizsync.staged_changes.';


--
-- Name: held_changes; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.held_changes (
    held_id bigint NOT NULL,
    peer_id uuid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    uid uuid NOT NULL,
    sqlstate text NOT NULL,
    message text NOT NULL,
    held_since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_tried_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    held_position pg_snapshot NOT NULL
);


--
-- Name: TABLE held_changes; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.held_changes IS 'Rows whose incoming net change could not be applied; retried at every sync, never dropped.';


--
-- Name: held_changes_held_id_seq; Type: SEQUENCE; Schema: lizsync; Owner: -
--

ALTER TABLE lizsync.held_changes ALTER COLUMN held_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lizsync.held_changes_held_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: history; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.history (
    sync_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    transport text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    pushed bigint,
    pulled bigint,
    conflicts bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    clock_offset interval,
    CONSTRAINT history_transport_check CHECK ((transport = ANY (ARRAY['cli'::text, 'sql'::text])))
);


--
-- Name: TABLE history; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.history IS 'Every sync of every link of this server.';


--
-- Name: link_relations; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.link_relations (
    peer_id uuid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    "position" pg_snapshot
);


--
-- Name: TABLE link_relations; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.link_relations IS 'Tables that a link synchronises: those of the package the clone was deployed from.';


--
-- Name: COLUMN link_relations."position"; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.link_relations."position" IS 'How far the peer''s log has been applied here for this table, where that is further than the link; null: as far as the link.';


--
-- Name: links; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.links (
    peer_id uuid NOT NULL,
    peer_name text NOT NULL,
    peer_system_identifier bigint,
    peer_database_oid oid,
    "position" pg_snapshot NOT NULL,
    peer_position pg_snapshot,
    last_sync_id uuid,
    last_sync_transaction_id xid8,
    pending_sync_id uuid,
    clock_offset interval,
    last_synchronised_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    deployed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expired_at timestamp with time zone,
    retired_at timestamp with time zone
);


--
-- Name: TABLE links; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.links IS 'One row for each link of this server: on the central one for each clone, on a clone the one to its central.';


--
-- Name: COLUMN links.clock_offset; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.links.clock_offset IS 'Clock of the clone minus clock of the central, measured at the last sync.';


--
-- Name: migrations; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.migrations (
    migration_number integer NOT NULL,
    migration_name text NOT NULL,
    sha256 text NOT NULL,
    tool_version text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE migrations; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.migrations IS 'Ledger of the migrations that were applied to this database.';


--
-- Name: packages; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.packages (
    package_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_by text DEFAULT SESSION_USER NOT NULL,
    snapshot pg_snapshot NOT NULL,
    manifest_sha256 text NOT NULL,
    relations text[] NOT NULL
);


--
-- Name: TABLE packages; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.packages IS 'Packages made from this central.';


--
-- Name: sequence_ranges; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.sequence_ranges (
    range_id bigint NOT NULL,
    sequence_id integer NOT NULL,
    lower_value bigint NOT NULL,
    upper_value bigint NOT NULL,
    clone_id uuid,
    drawn_value bigint,
    allotted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    confirmed_at timestamp with time zone,
    CONSTRAINT sequence_ranges_check CHECK ((upper_value >= lower_value)),
    CONSTRAINT sequence_ranges_check1 CHECK (((drawn_value >= lower_value) AND (drawn_value <= upper_value)))
);


--
-- Name: TABLE sequence_ranges; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.sequence_ranges IS 'Numbers of sequences of this central that clones draw from, or have drawn from. The central itself draws what is not in here.';


--
-- Name: sequence_ranges_range_id_seq; Type: SEQUENCE; Schema: lizsync; Owner: -
--

ALTER TABLE lizsync.sequence_ranges ALTER COLUMN range_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lizsync.sequence_ranges_range_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: sequences; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.sequences (
    sequence_id integer NOT NULL,
    sequence regclass NOT NULL,
    columns text[] NOT NULL
);


--
-- Name: TABLE sequences; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.sequences IS 'Sequences of this central of which clones have ranges.';


--
-- Name: sequences_sequence_id_seq; Type: SEQUENCE; Schema: lizsync; Owner: -
--

ALTER TABLE lizsync.sequences ALTER COLUMN sequence_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME lizsync.sequences_sequence_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: server_metadata; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE TABLE lizsync.server_metadata (
    only_row boolean DEFAULT true NOT NULL,
    server_id uuid DEFAULT gen_random_uuid() NOT NULL,
    server_name text NOT NULL,
    server_role text NOT NULL,
    system_identifier bigint NOT NULL,
    database_oid oid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    pruned_before xid8,
    pruned_until timestamp with time zone,
    former_incarnations jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT server_metadata_only_row_check CHECK (only_row),
    CONSTRAINT server_metadata_server_role_check CHECK ((server_role = ANY (ARRAY['central'::text, 'clone'::text])))
);


--
-- Name: TABLE server_metadata; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.server_metadata IS 'Who this server is.';


--
-- Name: COLUMN server_metadata.former_incarnations; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.server_metadata.former_incarnations IS 'Where this database was before it was moved, by pg_upgrade for example: as lizsync.incarnation() said there.';


--
-- Name: staged_changes; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE UNLOGGED TABLE lizsync.staged_changes (
    sync_id uuid DEFAULT (NULLIF(current_setting('lizsync.sync_id'::text, true), ''::text))::uuid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    uid uuid NOT NULL,
    action "char" NOT NULL,
    origin_server_id uuid,
    changed_at timestamp with time zone NOT NULL,
    corrected_at timestamp with time zone,
    new_values public.hstore,
    batch integer DEFAULT 0 NOT NULL,
    event_id bigint
);


--
-- Name: TABLE staged_changes; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.staged_changes IS 'Net changes that were received and are being applied: for a row one D, or one I and one U for each further writer, or U only.';


--
-- Name: COLUMN staged_changes.sync_id; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.staged_changes.sync_id IS 'The sync that delivers; COPY leaves it out, the setting lizsync.sync_id of the transaction says it for all rows.';


--
-- Name: COLUMN staged_changes.origin_server_id; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.staged_changes.origin_server_id IS 'Server where the change was made; null: the sender.';


--
-- Name: COLUMN staged_changes.corrected_at; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.staged_changes.corrected_at IS 'Time of the change by the clock of the central. null in what was received (batch 0): the same as changed_at; in what this server decided: the change is corrected when it is sent.';


--
-- Name: COLUMN staged_changes.event_id; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.staged_changes.event_id IS 'The last event of the row in the sender''s log, the same for all parts of a row; deliveries come in this order. null: not from a delivery.';


--
-- Name: stages; Type: TABLE; Schema: lizsync; Owner: -
--

CREATE UNLOGGED TABLE lizsync.stages (
    sync_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    from_position pg_snapshot NOT NULL,
    ahead jsonb NOT NULL,
    tables jsonb,
    to_position pg_snapshot NOT NULL,
    complete_below bigint,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE stages; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON TABLE lizsync.stages IS 'Deliveries of which parts are committed in lizsync.staged_changes, but not yet applied. A cache: without it everything is delivered again.';


--
-- Name: COLUMN stages.sync_id; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.stages.sync_id IS 'The sync that delivered.';


--
-- Name: COLUMN stages.peer_id; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.stages.peer_id IS 'The sender.';


--
-- Name: COLUMN stages.from_position; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.stages.from_position IS 'Where the delivery began: what this server has applied of the sender''s log.';


--
-- Name: COLUMN stages.ahead; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.stages.ahead IS 'Tables of which this server had applied more, as lizsync.ahead_positions says it.';


--
-- Name: COLUMN stages.tables; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.stages.tables IS 'The tables that were to be synchronised; null: all.';


--
-- Name: COLUMN stages.to_position; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.stages.to_position IS 'The position of the delivery.';


--
-- Name: COLUMN stages.complete_below; Type: COMMENT; Schema: lizsync; Owner: -
--

COMMENT ON COLUMN lizsync.stages.complete_below IS 'Every row whose last event, as of to_position, is below this is staged with all its parts. null: not looked at since the delivery broke off.';


--
-- Name: tree; Type: TABLE; Schema: survey; Owner: -
--

CREATE TABLE survey.tree (
    id integer NOT NULL,
    species text,
    uid uuid DEFAULT gen_random_uuid() NOT NULL
);


--
-- Name: logged_actions event_id; Type: DEFAULT; Schema: audit; Owner: -
--

ALTER TABLE ONLY audit.logged_actions ALTER COLUMN event_id SET DEFAULT nextval('audit.event_id_sequence'::regclass);


--
-- Data for Name: logged_actions; Type: TABLE DATA; Schema: audit; Owner: -
--

INSERT INTO audit.logged_actions VALUES (1, '730', 1, '2026-11-26 16:01:21.912759+00', NULL, 1, 'I', 'ea28c325-09c8-405c-8376-6e714fd0c470', NULL, NULL, NULL, '"id"=>"1", "species"=>"oak"', NULL);
INSERT INTO audit.logged_actions VALUES (2, '730', 1, '2026-11-26 16:01:21.912759+00', NULL, 1, 'I', '387d0ced-eecb-4e59-bbd3-a62ea16e2c96', NULL, NULL, NULL, '"id"=>"2", "species"=>"ash"', NULL);
INSERT INTO audit.logged_actions VALUES (3, '730', 1, '2026-11-26 16:01:21.912759+00', NULL, 1, 'I', '8b5fc2e9-af52-448d-ab66-3d413d6022ee', NULL, NULL, NULL, '"id"=>"3", "species"=>"fir"', NULL);
INSERT INTO audit.logged_actions VALUES (4, '730', 2, '2026-11-26 16:01:21.917051+00', NULL, 1, 'U', '387d0ced-eecb-4e59-bbd3-a62ea16e2c96', NULL, NULL, '"species"=>"ash"', '"species"=>"beech"', NULL);
INSERT INTO audit.logged_actions VALUES (5, '730', 3, '2026-11-26 16:01:21.919618+00', NULL, 1, 'D', '8b5fc2e9-af52-448d-ab66-3d413d6022ee', NULL, NULL, '"id"=>"3", "species"=>"fir"', NULL, NULL);


--
-- Data for Name: logged_relations; Type: TABLE DATA; Schema: audit; Owner: -
--

INSERT INTO audit.logged_relations OVERRIDING SYSTEM VALUE VALUES (1, 'survey', 'tree', '{}', '2026-11-26 16:01:21.886144+00');


--
-- Data for Name: logged_statements; Type: TABLE DATA; Schema: audit; Owner: -
--

INSERT INTO audit.logged_statements OVERRIDING SYSTEM VALUE VALUES (1, '730', '2026-11-26 16:01:21.912759+00', 'postgres', '', '127.0.0.1', '
      insert into survey.tree values (1, ''oak''), (2, ''ash''), (3, ''fir'');
      update survey.tree set species = ''beech'' where id = 2;
      delete from survey.tree where id = 3;
      insert into lizsync.links (peer_id, peer_name, position) values (gen_random_uuid(), ''tablet'', pg_current_snapshot());
      insert into lizsync.link_relations (peer_id, schema_name, table_name)
      select peer_id, ''survey'', ''tree'' from lizsync.links');
INSERT INTO audit.logged_statements OVERRIDING SYSTEM VALUE VALUES (2, '730', '2026-11-26 16:01:21.917051+00', 'postgres', '', '127.0.0.1', '
      insert into survey.tree values (1, ''oak''), (2, ''ash''), (3, ''fir'');
      update survey.tree set species = ''beech'' where id = 2;
      delete from survey.tree where id = 3;
      insert into lizsync.links (peer_id, peer_name, position) values (gen_random_uuid(), ''tablet'', pg_current_snapshot());
      insert into lizsync.link_relations (peer_id, schema_name, table_name)
      select peer_id, ''survey'', ''tree'' from lizsync.links');
INSERT INTO audit.logged_statements OVERRIDING SYSTEM VALUE VALUES (3, '730', '2026-11-26 16:01:21.919618+00', 'postgres', '', '127.0.0.1', '
      insert into survey.tree values (1, ''oak''), (2, ''ash''), (3, ''fir'');
      update survey.tree set species = ''beech'' where id = 2;
      delete from survey.tree where id = 3;
      insert into lizsync.links (peer_id, peer_name, position) values (gen_random_uuid(), ''tablet'', pg_current_snapshot());
      insert into lizsync.link_relations (peer_id, schema_name, table_name)
      select peer_id, ''survey'', ''tree'' from lizsync.links');


--
-- Data for Name: applied_routines; Type: TABLE DATA; Schema: lizsync; Owner: -
--

INSERT INTO lizsync.applied_routines VALUES (true, '457e90d0ae368f9a20e14f6a1dc4a386579c355fa693ed55f93a008bc9a64d21', 'd1b6a77203c9622d84ed5ae711c10fcb4a7d932904f53dc7223da85103672fed', '0.1.0', '2026-11-26 16:01:20.98668+00');


--
-- Data for Name: conflicts; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: deployments; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: granted_roles; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: held_change_parts; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: held_changes; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: history; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: link_relations; Type: TABLE DATA; Schema: lizsync; Owner: -
--

INSERT INTO lizsync.link_relations VALUES ('0cb6a6f1-6eda-44cf-b17f-53ed3c7696d2', 'survey', 'tree', NULL);


--
-- Data for Name: links; Type: TABLE DATA; Schema: lizsync; Owner: -
--

INSERT INTO lizsync.links VALUES ('0cb6a6f1-6eda-44cf-b17f-53ed3c7696d2', 'tablet', NULL, NULL, '730:730:', NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-26 16:01:21.920575+00', '2026-11-26 16:01:21.920575+00', NULL, NULL);


--
-- Data for Name: migrations; Type: TABLE DATA; Schema: lizsync; Owner: -
--

INSERT INTO lizsync.migrations VALUES (1, '0001_initial', '70ad2cf23b8695f1a370634c7ff2814106e5136dd217091a8e2056e161bf123b', '0.1.0', '2026-11-26 16:01:20.918824+00');
INSERT INTO lizsync.migrations VALUES (2, '0002_partial_syncs_and_moves', '899a63e971b0b0e0240d1c92b22d39dfc73a9d312f0a5a345834acd0b62ae5bf', '0.1.0', '2026-11-26 16:01:20.920274+00');
INSERT INTO lizsync.migrations VALUES (3, '0003_sequence_ranges', 'dd321fa2dffbc5ec075e50a241746c745d02431e62f60724aaafa5dc0d3defdb', '0.1.0', '2026-11-26 16:01:20.925433+00');
INSERT INTO lizsync.migrations VALUES (4, '0004_compact_deliveries', '00a594c2a4caa964be10cf1cd007aba557e2db7eb42e96a01323a227634c1295', '0.1.0', '2026-11-26 16:01:20.930512+00');
INSERT INTO lizsync.migrations VALUES (5, '0005_unlogged_values', 'cec83a6cdbcaf92f2e3cb7a275edaac7e22e28c695939e34df7c67ef9534cbf2', '0.1.0', '2026-11-26 16:01:20.931855+00');
INSERT INTO lizsync.migrations VALUES (6, '0006_key_of_events', '8625febc5fa43950f19c260ba648beb465eb50b9843088e3db48e707ac4fcbc4', '0.1.0', '2026-11-26 16:01:20.933357+00');
INSERT INTO lizsync.migrations VALUES (7, '0007_stages', '0519a98230b6411ea042750bb3eb0c1f9ade68c8dc2ffefa49b437387d7088d2', '0.1.0', '2026-11-26 16:01:20.935861+00');


--
-- Data for Name: packages; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: sequence_ranges; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: sequences; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: server_metadata; Type: TABLE DATA; Schema: lizsync; Owner: -
--

INSERT INTO lizsync.server_metadata VALUES (true, '10e35118-3e72-4731-8c8d-02d4ca949a67', 'dump', 'central', 7712510911868883512, 16384, '2026-11-26 16:01:20.987865+00', NULL, NULL, '[]');


--
-- Data for Name: staged_changes; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: stages; Type: TABLE DATA; Schema: lizsync; Owner: -
--



--
-- Data for Name: tree; Type: TABLE DATA; Schema: survey; Owner: -
--

INSERT INTO survey.tree VALUES (1, 'oak', 'ea28c325-09c8-405c-8376-6e714fd0c470');
INSERT INTO survey.tree VALUES (2, 'beech', '387d0ced-eecb-4e59-bbd3-a62ea16e2c96');


--
-- Name: event_id_sequence; Type: SEQUENCE SET; Schema: audit; Owner: -
--

SELECT pg_catalog.setval('audit.event_id_sequence', 5, true);


--
-- Name: logged_relations_relation_id_seq; Type: SEQUENCE SET; Schema: audit; Owner: -
--

SELECT pg_catalog.setval('audit.logged_relations_relation_id_seq', 1, true);


--
-- Name: logged_statements_statement_id_seq; Type: SEQUENCE SET; Schema: audit; Owner: -
--

SELECT pg_catalog.setval('audit.logged_statements_statement_id_seq', 3, true);


--
-- Name: conflicts_conflict_id_seq; Type: SEQUENCE SET; Schema: lizsync; Owner: -
--

SELECT pg_catalog.setval('lizsync.conflicts_conflict_id_seq', 1, false);


--
-- Name: held_changes_held_id_seq; Type: SEQUENCE SET; Schema: lizsync; Owner: -
--

SELECT pg_catalog.setval('lizsync.held_changes_held_id_seq', 1, false);


--
-- Name: sequence_ranges_range_id_seq; Type: SEQUENCE SET; Schema: lizsync; Owner: -
--

SELECT pg_catalog.setval('lizsync.sequence_ranges_range_id_seq', 1, false);


--
-- Name: sequences_sequence_id_seq; Type: SEQUENCE SET; Schema: lizsync; Owner: -
--

SELECT pg_catalog.setval('lizsync.sequences_sequence_id_seq', 1, false);


--
-- Name: logged_actions logged_actions_pkey; Type: CONSTRAINT; Schema: audit; Owner: -
--

ALTER TABLE ONLY audit.logged_actions
    ADD CONSTRAINT logged_actions_pkey PRIMARY KEY (transaction_id, event_id);


--
-- Name: logged_relations logged_relations_pkey; Type: CONSTRAINT; Schema: audit; Owner: -
--

ALTER TABLE ONLY audit.logged_relations
    ADD CONSTRAINT logged_relations_pkey PRIMARY KEY (relation_id);


--
-- Name: logged_relations logged_relations_schema_name_table_name_key; Type: CONSTRAINT; Schema: audit; Owner: -
--

ALTER TABLE ONLY audit.logged_relations
    ADD CONSTRAINT logged_relations_schema_name_table_name_key UNIQUE (schema_name, table_name);


--
-- Name: logged_statements logged_statements_pkey; Type: CONSTRAINT; Schema: audit; Owner: -
--

ALTER TABLE ONLY audit.logged_statements
    ADD CONSTRAINT logged_statements_pkey PRIMARY KEY (statement_id);


--
-- Name: applied_routines applied_routines_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.applied_routines
    ADD CONSTRAINT applied_routines_pkey PRIMARY KEY (only_row);


--
-- Name: conflicts conflicts_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.conflicts
    ADD CONSTRAINT conflicts_pkey PRIMARY KEY (conflict_id);


--
-- Name: deployments deployments_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.deployments
    ADD CONSTRAINT deployments_pkey PRIMARY KEY (clone_id);


--
-- Name: granted_roles granted_roles_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.granted_roles
    ADD CONSTRAINT granted_roles_pkey PRIMARY KEY (role_name, peer_id);


--
-- Name: held_changes held_changes_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.held_changes
    ADD CONSTRAINT held_changes_pkey PRIMARY KEY (held_id);


--
-- Name: held_changes held_changes_schema_name_table_name_uid_peer_id_key; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.held_changes
    ADD CONSTRAINT held_changes_schema_name_table_name_uid_peer_id_key UNIQUE (schema_name, table_name, uid, peer_id);


--
-- Name: history history_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (peer_id, sync_id);


--
-- Name: link_relations link_relations_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.link_relations
    ADD CONSTRAINT link_relations_pkey PRIMARY KEY (peer_id, schema_name, table_name);


--
-- Name: links links_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.links
    ADD CONSTRAINT links_pkey PRIMARY KEY (peer_id);


--
-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (migration_number);


--
-- Name: packages packages_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.packages
    ADD CONSTRAINT packages_pkey PRIMARY KEY (package_id);


--
-- Name: sequence_ranges sequence_ranges_int4range_numrange_excl; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.sequence_ranges
    ADD CONSTRAINT sequence_ranges_int4range_numrange_excl EXCLUDE USING gist (int4range(sequence_id, sequence_id, '[]'::text) WITH &&, numrange((lower_value)::numeric, (upper_value)::numeric, '[]'::text) WITH &&);


--
-- Name: sequence_ranges sequence_ranges_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.sequence_ranges
    ADD CONSTRAINT sequence_ranges_pkey PRIMARY KEY (range_id);


--
-- Name: sequences sequences_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.sequences
    ADD CONSTRAINT sequences_pkey PRIMARY KEY (sequence_id);


--
-- Name: server_metadata server_metadata_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.server_metadata
    ADD CONSTRAINT server_metadata_pkey PRIMARY KEY (only_row);


--
-- Name: stages stages_pkey; Type: CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.stages
    ADD CONSTRAINT stages_pkey PRIMARY KEY (sync_id);


--
-- Name: tree tree_pkey; Type: CONSTRAINT; Schema: survey; Owner: -
--

ALTER TABLE ONLY survey.tree
    ADD CONSTRAINT tree_pkey PRIMARY KEY (id);


--
-- Name: tree tree_uid_key; Type: CONSTRAINT; Schema: survey; Owner: -
--

ALTER TABLE ONLY survey.tree
    ADD CONSTRAINT tree_uid_key UNIQUE (uid);


--
-- Name: logged_actions_unlogged; Type: INDEX; Schema: audit; Owner: -
--

CREATE INDEX logged_actions_unlogged ON audit.logged_actions USING btree (transaction_id) WHERE (unlogged_columns IS NOT NULL);


--
-- Name: conflicts_sync_id; Type: INDEX; Schema: lizsync; Owner: -
--

CREATE INDEX conflicts_sync_id ON lizsync.conflicts USING btree (sync_id);


--
-- Name: held_change_parts_held_id; Type: INDEX; Schema: lizsync; Owner: -
--

CREATE INDEX held_change_parts_held_id ON lizsync.held_change_parts USING btree (held_id);


--
-- Name: sequence_ranges_clone_id; Type: INDEX; Schema: lizsync; Owner: -
--

CREATE INDEX sequence_ranges_clone_id ON lizsync.sequence_ranges USING btree (clone_id, sequence_id);


--
-- Name: tree lizsync_audit_delete; Type: TRIGGER; Schema: survey; Owner: -
--

CREATE TRIGGER lizsync_audit_delete AFTER DELETE ON survey.tree REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION audit.log_statement('1', '{uid}', '');

ALTER TABLE survey.tree ENABLE ALWAYS TRIGGER lizsync_audit_delete;


--
-- Name: tree lizsync_audit_insert; Type: TRIGGER; Schema: survey; Owner: -
--

CREATE TRIGGER lizsync_audit_insert AFTER INSERT ON survey.tree REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION audit.log_statement('1', '{uid}', '');

ALTER TABLE survey.tree ENABLE ALWAYS TRIGGER lizsync_audit_insert;


--
-- Name: tree lizsync_audit_mark; Type: TRIGGER; Schema: survey; Owner: -
--

CREATE TRIGGER lizsync_audit_mark BEFORE INSERT OR DELETE OR UPDATE ON survey.tree FOR EACH STATEMENT EXECUTE FUNCTION audit.mark_statement();

ALTER TABLE survey.tree ENABLE ALWAYS TRIGGER lizsync_audit_mark;


--
-- Name: tree lizsync_audit_truncate; Type: TRIGGER; Schema: survey; Owner: -
--

CREATE TRIGGER lizsync_audit_truncate BEFORE TRUNCATE ON survey.tree FOR EACH STATEMENT EXECUTE FUNCTION audit.log_truncate('1', '{uid}', '');

ALTER TABLE survey.tree ENABLE ALWAYS TRIGGER lizsync_audit_truncate;


--
-- Name: tree lizsync_audit_uid; Type: TRIGGER; Schema: survey; Owner: -
--

CREATE TRIGGER lizsync_audit_uid AFTER UPDATE ON survey.tree FOR EACH ROW WHEN ((old.uid IS DISTINCT FROM new.uid)) EXECUTE FUNCTION audit.refuse_uid_change();

ALTER TABLE survey.tree ENABLE ALWAYS TRIGGER lizsync_audit_uid;


--
-- Name: tree lizsync_audit_update; Type: TRIGGER; Schema: survey; Owner: -
--

CREATE TRIGGER lizsync_audit_update AFTER UPDATE ON survey.tree REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION audit.log_statement('1', '{uid}', '');

ALTER TABLE survey.tree ENABLE ALWAYS TRIGGER lizsync_audit_update;


--
-- Name: deployments deployments_package_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.deployments
    ADD CONSTRAINT deployments_package_id_fkey FOREIGN KEY (package_id) REFERENCES lizsync.packages(package_id);


--
-- Name: granted_roles granted_roles_peer_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.granted_roles
    ADD CONSTRAINT granted_roles_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES lizsync.links(peer_id) ON DELETE CASCADE;


--
-- Name: held_change_parts held_change_parts_held_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.held_change_parts
    ADD CONSTRAINT held_change_parts_held_id_fkey FOREIGN KEY (held_id) REFERENCES lizsync.held_changes(held_id) ON DELETE CASCADE;


--
-- Name: link_relations link_relations_peer_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.link_relations
    ADD CONSTRAINT link_relations_peer_id_fkey FOREIGN KEY (peer_id) REFERENCES lizsync.links(peer_id) ON DELETE CASCADE;


--
-- Name: sequence_ranges sequence_ranges_sequence_id_fkey; Type: FK CONSTRAINT; Schema: lizsync; Owner: -
--

ALTER TABLE ONLY lizsync.sequence_ranges
    ADD CONSTRAINT sequence_ranges_sequence_id_fkey FOREIGN KEY (sequence_id) REFERENCES lizsync.sequences(sequence_id) ON DELETE CASCADE;


--
-- Name: FUNCTION disable_relation(p_schema_name text, p_table_name text); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.disable_relation(p_schema_name text, p_table_name text) FROM PUBLIC;


--
-- Name: FUNCTION drop_doubled_events(p_relation_id integer, p_operation text, p_statement_id bigint, p_after_event_id bigint); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.drop_doubled_events(p_relation_id integer, p_operation text, p_statement_id bigint, p_after_event_id bigint) FROM PUBLIC;


--
-- Name: FUNCTION enable_relation(p_schema_name text, p_table_name text, p_excluded_columns text[]); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.enable_relation(p_schema_name text, p_table_name text, p_excluded_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION enable_table(p_table regclass, p_relation_id integer); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.enable_table(p_table regclass, p_relation_id integer) FROM PUBLIC;


--
-- Name: FUNCTION fitting_columns(p_columns text[], p_sizes bigint[]); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.fitting_columns(p_columns text[], p_sizes bigint[]) FROM PUBLIC;


--
-- Name: FUNCTION is_new_partition(p_partition regclass); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.is_new_partition(p_partition regclass) FROM PUBLIC;


--
-- Name: FUNCTION large_rows_query(p_table regclass, p_unlogged_columns text[], p_old text, p_new text); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.large_rows_query(p_table regclass, p_unlogged_columns text[], p_old text, p_new text) FROM PUBLIC;


--
-- Name: FUNCTION log_partition_row(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.log_partition_row() FROM PUBLIC;


--
-- Name: FUNCTION log_statement(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.log_statement() FROM PUBLIC;


--
-- Name: FUNCTION log_truncate(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.log_truncate() FROM PUBLIC;


--
-- Name: FUNCTION mark_statement(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.mark_statement() FROM PUBLIC;


--
-- Name: FUNCTION order_nested_events(p_table_oid oid, p_relation_id integer, p_action "char", p_statement_id bigint, p_after_event_id bigint); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.order_nested_events(p_table_oid oid, p_relation_id integer, p_action "char", p_statement_id bigint, p_after_event_id bigint) FROM PUBLIC;


--
-- Name: FUNCTION refuse_uid_change(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.refuse_uid_change() FROM PUBLIC;


--
-- Name: FUNCTION text_size(p_value anyelement); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.text_size(p_value anyelement) FROM PUBLIC;


--
-- Name: FUNCTION accept_move(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.accept_move() FROM PUBLIC;


--
-- Name: FUNCTION add_held_changes(p_sync_id uuid, p_sender_id uuid, p_tables jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.add_held_changes(p_sync_id uuid, p_sender_id uuid, p_tables jsonb) FROM PUBLIC;


--
-- Name: FUNCTION add_incoming_batch(p_sync_id uuid, p_batch integer, p_sender_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.add_incoming_batch(p_sync_id uuid, p_batch integer, p_sender_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION adopt_incarnation(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.adopt_incarnation() FROM PUBLIC;


--
-- Name: FUNCTION adopt_partitions(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.adopt_partitions() FROM PUBLIC;


--
-- Name: FUNCTION ahead_positions(p_peer_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.ahead_positions(p_peer_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION allot_range(p_sequence regclass, p_columns text[], p_lowest numeric, p_highest numeric, p_clone_id uuid, OUT range_id bigint, OUT refusal text, OUT hint text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.allot_range(p_sequence regclass, p_columns text[], p_lowest numeric, p_highest numeric, p_clone_id uuid, OUT range_id bigint, OUT refusal text, OUT hint text) FROM PUBLIC;


--
-- Name: FUNCTION apply_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_clock_shift interval, p_scope jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.apply_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_clock_shift interval, p_scope jsonb) FROM PUBLIC;


--
-- Name: FUNCTION apply_relation(p_relation regclass, p_from_row integer, p_to_row integer); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.apply_relation(p_relation regclass, p_from_row integer, p_to_row integer) FROM PUBLIC;


--
-- Name: FUNCTION apply_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.apply_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean) FROM PUBLIC;


--
-- Name: FUNCTION ask_central(p_connection text, p_query text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.ask_central(p_connection text, p_query text) FROM PUBLIC;


--
-- Name: FUNCTION await_flush(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.await_flush() FROM PUBLIC;


--
-- Name: FUNCTION await_link(p_peer_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.await_link(p_peer_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION base_type(p_type regtype); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.base_type(p_type regtype) FROM PUBLIC;


--
-- Name: FUNCTION begin_sync(p_central_state jsonb, p_clock_offset_ms double precision, p_uncertainty_ms double precision); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.begin_sync(p_central_state jsonb, p_clock_offset_ms double precision, p_uncertainty_ms double precision) FROM PUBLIC;


--
-- Name: FUNCTION check_compared_columns(p_schema_name text, p_table_name text, p_central_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.check_compared_columns(p_schema_name text, p_table_name text, p_central_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION check_logged_values(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.check_logged_values(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb) FROM PUBLIC;


--
-- Name: FUNCTION check_peer(p_peer_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.check_peer(p_peer_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION check_relation(p_relation regclass, p_excluded_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.check_relation(p_relation regclass, p_excluded_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION check_rights(p_relation regclass); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.check_rights(p_relation regclass) FROM PUBLIC;


--
-- Name: FUNCTION check_same_structure(p_clone_columns jsonb, p_central_columns jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.check_same_structure(p_clone_columns jsonb, p_central_columns jsonb) FROM PUBLIC;


--
-- Name: FUNCTION column_checksums(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.column_checksums(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[]) FROM PUBLIC;


--
-- Name: FUNCTION column_defaults(p_relation regclass, p_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.column_defaults(p_relation regclass, p_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION commit_durably(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.commit_durably() FROM PUBLIC;


--
-- Name: FUNCTION compare_tables(p_schema_name text, p_table_name text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.compare_tables(p_schema_name text, p_table_name text) FROM PUBLIC;


--
-- Name: FUNCTION compared_columns(p_schema_name text, p_table_name text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.compared_columns(p_schema_name text, p_table_name text) FROM PUBLIC;


--
-- Name: FUNCTION compared_relations(p_schema_names text[], p_table_schemas text[], p_table_names text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.compared_relations(p_schema_names text[], p_table_schemas text[], p_table_names text[]) FROM PUBLIC;


--
-- Name: FUNCTION compared_rows(p_schema_name text, p_table_name text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.compared_rows(p_schema_name text, p_table_name text) FROM PUBLIC;


--
-- Name: FUNCTION confirm_deployment(p_clone_id uuid, p_sync_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.confirm_deployment(p_clone_id uuid, p_sync_id uuid) FROM PUBLIC;


--
-- Name: PROCEDURE continue_stage(IN p_sync_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON PROCEDURE lizsync.continue_stage(IN p_sync_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION current_position(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.current_position() FROM PUBLIC;


--
-- Name: FUNCTION describe_audit(p_relation regclass); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.describe_audit(p_relation regclass) FROM PUBLIC;


--
-- Name: FUNCTION describe_columns(p_peer_id uuid, p_tables text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.describe_columns(p_peer_id uuid, p_tables text[]) FROM PUBLIC;


--
-- Name: FUNCTION describe_server(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.describe_server() FROM PUBLIC;


--
-- Name: FUNCTION digest_part(p_schema_name text, p_table_name text, p_uid uuid, p_action "char", p_changed_at timestamp with time zone, p_new_values public.hstore, p_event_id bigint); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.digest_part(p_schema_name text, p_table_name text, p_uid uuid, p_action "char", p_changed_at timestamp with time zone, p_new_values public.hstore, p_event_id bigint) FROM PUBLIC;


--
-- Name: FUNCTION discard_held_change(p_held_id bigint); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.discard_held_change(p_held_id bigint) FROM PUBLIC;


--
-- Name: FUNCTION drop_stages(p_sync_ids uuid[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.drop_stages(p_sync_ids uuid[]) FROM PUBLIC;


--
-- Name: FUNCTION feeding_sequences(p_relations regclass[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.feeding_sequences(p_relations regclass[]) FROM PUBLIC;


--
-- Name: FUNCTION find_differing_columns(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[], p_checksums bigint[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.find_differing_columns(p_schema_name text, p_table_name text, p_columns text[], p_uids uuid[], p_checksums bigint[]) FROM PUBLIC;


--
-- Name: FUNCTION find_differing_ranges(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_row_counts bigint[], p_checksums numeric[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.find_differing_ranges(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_row_counts bigint[], p_checksums numeric[]) FROM PUBLIC;


--
-- Name: FUNCTION find_differing_rows(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[], p_uids uuid[], p_checksums bigint[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.find_differing_rows(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[], p_uids uuid[], p_checksums bigint[]) FROM PUBLIC;


--
-- Name: FUNCTION find_lost_parent(p_relation_id integer, p_key_values public.hstore, p_position pg_snapshot, p_sender_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.find_lost_parent(p_relation_id integer, p_key_values public.hstore, p_position pg_snapshot, p_sender_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION find_orphans(p_constraint_oid oid, p_batch integer, p_after_event_id bigint); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.find_orphans(p_constraint_oid oid, p_batch integer, p_after_event_id bigint) FROM PUBLIC;


--
-- Name: FUNCTION find_relations(p_schemas text[], p_tables text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.find_relations(p_schemas text[], p_tables text[]) FROM PUBLIC;


--
-- Name: FUNCTION find_value(p_columns text[], p_lower bigint, p_upper bigint, p_highest boolean); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.find_value(p_columns text[], p_lower bigint, p_upper bigint, p_highest boolean) FROM PUBLIC;


--
-- Name: FUNCTION finish_sync(p_sync_id uuid, p_clone_id uuid, p_clone_position pg_snapshot, p_pull jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.finish_sync(p_sync_id uuid, p_clone_id uuid, p_clone_position pg_snapshot, p_pull jsonb) FROM PUBLIC;


--
-- Name: FUNCTION fold_window(p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_include_own_transaction boolean, p_peer_id uuid, p_seen pg_snapshot); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.fold_window(p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_include_own_transaction boolean, p_peer_id uuid, p_seen pg_snapshot) FROM PUBLIC;


--
-- Name: FUNCTION foreign_keys(p_constraint_oids oid[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.foreign_keys(p_constraint_oids oid[]) FROM PUBLIC;


--
-- Name: FUNCTION get_clone_state(p_tables text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.get_clone_state(p_tables text[]) FROM PUBLIC;


--
-- Name: FUNCTION get_last_sync(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.get_last_sync() FROM PUBLIC;


--
-- Name: FUNCTION grant_synchronisation(p_role_name text, p_peer_name text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.grant_synchronisation(p_role_name text, p_peer_name text) FROM PUBLIC;


--
-- Name: FUNCTION guard_range(p_table regclass, p_unlogged_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.guard_range(p_table regclass, p_unlogged_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION guard_sequence(p_sequence regclass, p_sequence_id integer, p_end numeric, p_new_first numeric, INOUT drawn numeric, OUT refusal text, OUT hint text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.guard_sequence(p_sequence regclass, p_sequence_id integer, p_end numeric, p_new_first numeric, INOUT drawn numeric, OUT refusal text, OUT hint text) FROM PUBLIC;


--
-- Name: FUNCTION has_events(p_position pg_snapshot, p_peer_id uuid, p_include_own_transaction boolean); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.has_events(p_position pg_snapshot, p_peer_id uuid, p_include_own_transaction boolean) FROM PUBLIC;


--
-- Name: FUNCTION has_many_events(p_position pg_snapshot); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.has_many_events(p_position pg_snapshot) FROM PUBLIC;


--
-- Name: FUNCTION has_rewriting_triggers(p_relation regclass); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.has_rewriting_triggers(p_relation regclass) FROM PUBLIC;


--
-- Name: FUNCTION has_unique_uid(p_relation regclass); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.has_unique_uid(p_relation regclass) FROM PUBLIC;


--
-- Name: FUNCTION incarnation(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.incarnation() FROM PUBLIC;


--
-- Name: FUNCTION incarnation_of(p_system_identifier bigint, p_database_oid oid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.incarnation_of(p_system_identifier bigint, p_database_oid oid) FROM PUBLIC;


--
-- Name: FUNCTION incoming_relations(p_batch integer); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.incoming_relations(p_batch integer) FROM PUBLIC;


--
-- Name: FUNCTION is_news(p_relation_id integer, p_uid uuid, p_columns text[], p_position pg_snapshot, p_peer_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.is_news(p_relation_id integer, p_uid uuid, p_columns text[], p_position pg_snapshot, p_peer_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION is_row_error(p_sqlstate text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.is_row_error(p_sqlstate text) FROM PUBLIC;


--
-- Name: FUNCTION is_valid_reference(p_constraint_oid oid, p_values public.hstore); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.is_valid_reference(p_constraint_oid oid, p_values public.hstore) FROM PUBLIC;


--
-- Name: PROCEDURE keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON PROCEDURE lizsync.keep_stage(IN p_sync_id uuid, IN p_sender_id uuid, IN p_from pg_snapshot, IN p_ahead jsonb, IN p_tables jsonb, IN p_to pg_snapshot, IN p_resumed_sync_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION known_sequence(p_sequence regclass, p_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.known_sequence(p_sequence regclass, p_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION last_number(p_sequence regclass); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.last_number(p_sequence regclass) FROM PUBLIC;


--
-- Name: FUNCTION list_held_changes(p_peer_id uuid, p_value_length integer); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.list_held_changes(p_peer_id uuid, p_value_length integer) FROM PUBLIC;


--
-- Name: FUNCTION lock_link(p_peer_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.lock_link(p_peer_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION lock_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_skip_locked boolean); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.lock_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_skip_locked boolean) FROM PUBLIC;


--
-- Name: FUNCTION log_trigger_changes(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_unlogged_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.log_trigger_changes(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_unlogged_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION merge_stage(p_from_sync_id uuid, p_into_sync_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.merge_stage(p_from_sync_id uuid, p_into_sync_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION names_table(p_tables jsonb, p_schema_name text, p_table_name text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.names_table(p_tables jsonb, p_schema_name text, p_table_name text) FROM PUBLIC;


--
-- Name: FUNCTION offer_stage(p_sender_id uuid, p_ahead jsonb, p_tables jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.offer_stage(p_sender_id uuid, p_ahead jsonb, p_tables jsonb) FROM PUBLIC;


--
-- Name: FUNCTION open_sync(p_clone_state jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.open_sync(p_clone_state jsonb) FROM PUBLIC;


--
-- Name: FUNCTION outgoing_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.outgoing_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval) FROM PUBLIC;


--
-- Name: FUNCTION outgoing_chunks(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.outgoing_chunks(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval) FROM PUBLIC;


--
-- Name: FUNCTION outgoing_parts(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.outgoing_parts(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot) FROM PUBLIC;


--
-- Name: FUNCTION parse_tables(p_peer_id uuid, p_tables text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.parse_tables(p_peer_id uuid, p_tables text[]) FROM PUBLIC;


--
-- Name: FUNCTION partition_tree(p_relation regclass); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.partition_tree(p_relation regclass) FROM PUBLIC;


--
-- Name: FUNCTION plan_preparation(p_schemas text[], p_tables text[], p_excluded_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.plan_preparation(p_schemas text[], p_tables text[], p_excluded_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION prepare_relation(p_schema_name text, p_table_name text, p_excluded_columns text[], OUT uid_status text, OUT triggers_status text, OUT excluded_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.prepare_relation(p_schema_name text, p_table_name text, p_excluded_columns text[], OUT uid_status text, OUT triggers_status text, OUT excluded_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION prune_central(p_keep interval, p_expire interval, p_limit bigint); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.prune_central(p_keep interval, p_expire interval, p_limit bigint) FROM PUBLIC;


--
-- Name: FUNCTION prune_clone(p_limit bigint); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.prune_clone(p_limit bigint) FROM PUBLIC;


--
-- Name: FUNCTION range_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_count integer); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.range_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_count integer) FROM PUBLIC;


--
-- Name: FUNCTION receive_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_details jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.receive_changes(p_sync_id uuid, p_sender_id uuid, p_from pg_snapshot, p_to pg_snapshot, p_sender_position pg_snapshot, p_details jsonb) FROM PUBLIC;


--
-- Name: FUNCTION refresh_triggers(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.refresh_triggers() FROM PUBLIC;


--
-- Name: FUNCTION register_clone(p_package_id uuid, p_manifest_sha256 text, p_clone_id uuid, p_clone_name text, p_clone_system_identifier bigint, p_clone_database_oid oid, p_clone_position pg_snapshot, p_sync_id uuid, p_clone_transaction_id xid8, p_sequence_states jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.register_clone(p_package_id uuid, p_manifest_sha256 text, p_clone_id uuid, p_clone_name text, p_clone_system_identifier bigint, p_clone_database_oid oid, p_clone_position pg_snapshot, p_sync_id uuid, p_clone_transaction_id xid8, p_sequence_states jsonb) FROM PUBLIC;


--
-- Name: FUNCTION register_package(p_package_id uuid, p_snapshot pg_snapshot, p_manifest_sha256 text, p_schema_names text[], p_table_names text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.register_package(p_package_id uuid, p_snapshot pg_snapshot, p_manifest_sha256 text, p_schema_names text[], p_table_names text[]) FROM PUBLIC;


--
-- Name: FUNCTION relation_fingerprints(p_peer_id uuid, p_tables jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.relation_fingerprints(p_peer_id uuid, p_tables jsonb) FROM PUBLIC;


--
-- Name: FUNCTION remove_events(p_before xid8, p_limit bigint, OUT removed bigint, OUT latest timestamp with time zone); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.remove_events(p_before xid8, p_limit bigint, OUT removed bigint, OUT latest timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION renew_grants(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.renew_grants() FROM PUBLIC;


--
-- Name: FUNCTION renew_ranges(p_clone_id uuid, p_relations regclass[], p_states jsonb, p_is_deployment boolean); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.renew_ranges(p_clone_id uuid, p_relations regclass[], p_states jsonb, p_is_deployment boolean) FROM PUBLIC;


--
-- Name: FUNCTION repair_foreign_keys(p_sync_id uuid, p_batch integer, p_after_event_id bigint, p_sender_id uuid, p_sender_position pg_snapshot, p_sender_ahead jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.repair_foreign_keys(p_sync_id uuid, p_batch integer, p_after_event_id bigint, p_sender_id uuid, p_sender_position pg_snapshot, p_sender_ahead jsonb) FROM PUBLIC;


--
-- Name: FUNCTION repair_local_child(p_child regclass, p_ctid tid, p_kind text, p_values public.hstore); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.repair_local_child(p_child regclass, p_ctid tid, p_kind text, p_values public.hstore) FROM PUBLIC;


--
-- Name: FUNCTION resolve_conflicts(p_sender_id uuid, p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_held boolean); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.resolve_conflicts(p_sender_id uuid, p_position pg_snapshot, p_ahead jsonb, p_clock_shift interval, p_held boolean) FROM PUBLIC;


--
-- Name: FUNCTION resumed_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot, p_complete_below bigint); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.resumed_changes(p_receiver_id uuid, p_position pg_snapshot, p_ahead jsonb, p_tables jsonb, p_clock_shift interval, p_seen pg_snapshot, p_complete_below bigint) FROM PUBLIC;


--
-- Name: FUNCTION retire_clone(p_clone text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.retire_clone(p_clone text) FROM PUBLIC;


--
-- Name: FUNCTION retry_held_changes(p_peer_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.retry_held_changes(p_peer_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION return_ranges(p_clone_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.return_ranges(p_clone_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION row_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.row_checksums(p_schema_name text, p_table_name text, p_columns text[], p_range_starts uuid[], p_range_ends uuid[]) FROM PUBLIC;


--
-- Name: FUNCTION row_hash_expression(p_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.row_hash_expression(p_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION row_transaction(p_xmin xid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.row_transaction(p_xmin xid) FROM PUBLIC;


--
-- Name: FUNCTION sequence_states(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.sequence_states() FROM PUBLIC;


--
-- Name: FUNCTION server_id(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.server_id() FROM PUBLIC;


--
-- Name: FUNCTION set_ranges(p_ranges jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.set_ranges(p_ranges jsonb) FROM PUBLIC;


--
-- Name: FUNCTION shares_history(p_central_id uuid, p_last_sync_id uuid, p_last_sync_transaction_id xid8); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.shares_history(p_central_id uuid, p_last_sync_id uuid, p_last_sync_transaction_id xid8) FROM PUBLIC;


--
-- Name: FUNCTION stage_changes(p_sync_id uuid, p_schema_names text[], p_table_names text[], p_uids uuid[], p_actions "char"[], p_origin_server_ids uuid[], p_changed_at timestamp with time zone[], p_corrected_at timestamp with time zone[], p_new_values text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.stage_changes(p_sync_id uuid, p_schema_names text[], p_table_names text[], p_uids uuid[], p_actions "char"[], p_origin_server_ids uuid[], p_changed_at timestamp with time zone[], p_corrected_at timestamp with time zone[], p_new_values text[]) FROM PUBLIC;


--
-- Name: FUNCTION staged_parts(p_sync_id uuid, p_batch integer, p_sender_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.staged_parts(p_sync_id uuid, p_batch integer, p_sender_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION start_delivery(p_sync_id uuid, p_receiver_id uuid, p_from pg_snapshot); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.start_delivery(p_sync_id uuid, p_receiver_id uuid, p_from pg_snapshot) FROM PUBLIC;


--
-- Name: FUNCTION start_incoming(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.start_incoming() FROM PUBLIC;


--
-- Name: FUNCTION store_central_connection(p_server_options text[], p_mapping_options text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.store_central_connection(p_server_options text[], p_mapping_options text[]) FROM PUBLIC;


--
-- Name: FUNCTION synchronised_columns(p_schema_name text, p_table_name text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.synchronised_columns(p_schema_name text, p_table_name text) FROM PUBLIC;


--
-- Name: FUNCTION synchronize(p_tables text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.synchronize(p_tables text[]) FROM PUBLIC;


--
-- Name: FUNCTION table_checksum(p_schema_name text, p_table_name text, p_columns text[]); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.table_checksum(p_schema_name text, p_table_name text, p_columns text[]) FROM PUBLIC;


--
-- Name: FUNCTION take_stage(p_sender_id uuid, p_sync_id uuid, p_resumed_sync_id uuid); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.take_stage(p_sender_id uuid, p_sync_id uuid, p_resumed_sync_id uuid) FROM PUBLIC;


--
-- Name: FUNCTION try_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean, OUT changed integer, OUT failed integer); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.try_rows(p_relation regclass, p_from_row integer, p_to_row integer, p_replace boolean, OUT changed integer, OUT failed integer) FROM PUBLIC;


--
-- Name: FUNCTION uid_status(p_relation regclass); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.uid_status(p_relation regclass) FROM PUBLIC;


--
-- Name: FUNCTION unsent_changes(p_position pg_snapshot, p_ahead jsonb); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.unsent_changes(p_position pg_snapshot, p_ahead jsonb) FROM PUBLIC;


--
-- Name: FUNCTION update_rows(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_columns text[], p_several_parts boolean, p_replace boolean); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.update_rows(p_relation regclass, p_relation_id integer, p_from_row integer, p_to_row integer, p_columns text[], p_several_parts boolean, p_replace boolean) FROM PUBLIC;


--
-- Name: FUNCTION value_expression(p_relation regclass, p_column_name text, p_values text); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.value_expression(p_relation regclass, p_column_name text, p_values text) FROM PUBLIC;


--
-- Name: FUNCTION value_hash_expression(p_column_name text, p_seed integer); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.value_hash_expression(p_column_name text, p_seed integer) FROM PUBLIC;


--
-- Name: FUNCTION warn_of_used_range(); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.warn_of_used_range() FROM PUBLIC;


--
-- Name: FUNCTION merge_values(public.hstore); Type: ACL; Schema: lizsync; Owner: -
--

REVOKE ALL ON FUNCTION lizsync.merge_values(public.hstore) FROM PUBLIC;


--
-- PostgreSQL database dump complete
--


