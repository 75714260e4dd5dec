-- synchronises the clone in its own session: rows changed in the central, rows changed here, conflicts
select
    s.number_replayed_to_central as pushed,
    s.number_replayed_to_clone as pulled,
    s.number_conflicts as conflicts
from lizsync.synchronize() as s
