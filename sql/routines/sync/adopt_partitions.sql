create or replace function lizsync.adopt_partitions()
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
set row_security = off
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
set lc_monetary = 'C'
as $function$
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
    -- a short question, as each sync asks it in a new session
    if not exists (
        select
        from audit.logged_relations as r
        join pg_class as c on c.relname = r.table_name and c.relkind = 'p'
    ) then
        return 0;
    end if;
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
                    select '-infinity', '-infinity', $1, 'I', t.uid, @extschema:hstore@.hstore(t.*) operator(@extschema:hstore@.-) $2
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
$function$;

comment on function lizsync.adopt_partitions() is
    'Gives partitions that were added to audited tables what the others have, and logs the rows that they brought along; returns how '
    'many there were. LZ001: the caller may not, or a partition cannot be synchronised.';
