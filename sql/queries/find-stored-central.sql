-- How this clone reaches its central: the options of the foreign server and of the user mapping that counts for the
-- current role, each as texts of the form name=value. The mapping's are null when the role may not see them.
select foreign_server.srvoptions as server_options,
    mapping.umoptions as mapping_options
from pg_catalog.pg_foreign_server as foreign_server
left join pg_catalog.pg_user_mappings as mapping
    on mapping.srvid = foreign_server.oid
    and (mapping.umuser = 0 or mapping.usename = current_user)
where foreign_server.srvname = 'lizsync_central'
-- a role's own mapping counts before the public one
order by mapping.umuser = 0
limit 1
