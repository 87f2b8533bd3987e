-- The runs of this database: one begins whenever a server opens it. A copy that is used again continues with other runs than
-- the original, and clients know the run in which their position has moved.

CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    -- Random, so that runs of different copies are told apart.
    tag TEXT    NOT NULL UNIQUE
) STRICT;

-- Where the entries of each run begin in a channel's log.
CREATE TABLE channel_runs (
    channel INTEGER NOT NULL,
    first   INTEGER NOT NULL,
    run     INTEGER NOT NULL,
    PRIMARY KEY (channel, first)
) STRICT, WITHOUT ROWID;

-- The first run identifies the database now.
DROP TABLE origin;
