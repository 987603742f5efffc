-- The nodes that run on the store. Overwritten and deleted like the heartbeat: it proves nothing, but a node that
-- would run with another configuration or seal key than those that live finds them here and does not start.
-- Source: brief D12.
CREATE TABLE node (
    name text COLLATE "C" PRIMARY KEY,
    version text COLLATE "C" NOT NULL,
    parts text COLLATE "C" NOT NULL,
    configuration text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    started_at bigint NOT NULL,
    seen_at bigint NOT NULL
);
