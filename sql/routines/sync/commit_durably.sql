create or replace function lizsync.commit_durably()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);
    end if;
end
$function$;

comment on function lizsync.commit_durably() is
    'Makes the commit of this transaction outlive a crash, whatever the settings: the other side is going to rely on it.';
