-- Notes which functions the database has now. $1 their hash, $2 that of the triggers' source, $3 version of the program.
insert into lizsync.applied_routines (sha256, triggers_sha256, tool_version)
values ($1, $2, $3)
on conflict (only_row) do update
set
    sha256 = excluded.sha256,
    triggers_sha256 = excluded.triggers_sha256,
    tool_version = excluded.tool_version,
    applied_at = default;
