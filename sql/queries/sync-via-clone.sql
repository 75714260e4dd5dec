-- Synchronises the clone in its own session, the tables of $1 (null: all): rows changed in the central, rows changed here, conflicts
select
    s.number_replayed_to_central as pushed,
    s.number_replayed_to_clone as pulled,
    s.number_conflicts as conflicts
from lizsync.synchronize($1) as s
