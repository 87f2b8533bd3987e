-- The log of every channel, what was sent (so that a resend is recognised), and whose session is whose.

CREATE TABLE origin (
    -- One row. Epochs of channels without a row of their own are derived from it: a new database has new epochs.
    seed INTEGER NOT NULL
) STRICT;

CREATE TABLE channels (
    id      INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    epoch   TEXT    NOT NULL,
    head    INTEGER NOT NULL,
    -- Everything up to this offset has been removed.
    trimmed INTEGER NOT NULL
) STRICT;

CREATE TABLE messages (
    channel INTEGER NOT NULL,
    offset  INTEGER NOT NULL,
    id      BLOB    NOT NULL,
    user    TEXT    NOT NULL,
    name    TEXT,
    at      INTEGER NOT NULL,
    event   TEXT,
    data    TEXT    NOT NULL,
    PRIMARY KEY (channel, offset)
) STRICT, WITHOUT ROWID;

-- Outlives the messages: a resend is answered with the same ack even when the message has been trimmed.
CREATE TABLE sends (
    user    TEXT    NOT NULL,
    id      BLOB    NOT NULL,
    channel INTEGER NOT NULL,
    offset  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (user, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sends_at ON sends (at);

CREATE TABLE sessions (
    session BLOB    NOT NULL PRIMARY KEY,
    user    TEXT    NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_seen_at ON sessions (seen_at);
