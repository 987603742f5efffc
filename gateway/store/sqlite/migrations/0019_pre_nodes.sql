-- The nodes that run on the store. Overwritten and deleted like the heartbeat: it proves nothing, but a node that
-- would run with another configuration or seal key than those that live finds them here and does not start.
-- Source: brief D12.
CREATE TABLE node (
    name TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    parts TEXT NOT NULL,
    configuration TEXT NOT NULL,
    reference TEXT NOT NULL,
    key_id TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
