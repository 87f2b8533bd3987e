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
    -- What the message does to another one of its channel: answers, edits or deletes it.
    action  TEXT,
    target  BLOB,
    -- Who deleted it, and when. Then `data` is null.
    deleted_by TEXT,
    deleted_at INTEGER,
    PRIMARY KEY (channel, offset)
) STRICT, WITHOUT ROWID;

-- Find the message that another one edits, deletes or answers.

CREATE INDEX messages_id ON messages (channel, id);

CREATE INDEX messages_deleted ON messages (channel, target) WHERE action = 'delete';

CREATE INDEX messages_edits ON messages (channel, target) WHERE action = 'edit';

-- What edits and deletions have replaced, if the operator keeps it for a while. Nobody is served from here.
CREATE TABLE replaced (
    id      INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    offset  INTEGER NOT NULL,
    -- When it was replaced, in ms since 1970.
    at      INTEGER NOT NULL,
    data    TEXT    NOT NULL
) STRICT;

CREATE INDEX replaced_at ON replaced (at);

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

-- Who may not use the server, and which tokens are no longer accepted.

CREATE TABLE bans (
    user   TEXT    NOT NULL PRIMARY KEY,
    since  INTEGER NOT NULL,
    -- NULL: until it is lifted.
    until  INTEGER,
    reason TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE revocations (
    -- Whether `what` is the id of one token; otherwise a user, all of whose tokens issued until `at` are meant.
    token INTEGER NOT NULL,
    what  TEXT    NOT NULL,
    at    INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (token, what)
) STRICT, WITHOUT ROWID;

-- How far users have received and read logs.

CREATE TABLE marks (
    channel   INTEGER NOT NULL,
    user      TEXT    NOT NULL,
    delivered INTEGER NOT NULL,
    read      INTEGER NOT NULL,
    PRIMARY KEY (channel, user)
) STRICT, WITHOUT ROWID;

-- Who is online, and when the others last were.

CREATE TABLE people (
    user    TEXT    NOT NULL PRIMARY KEY,
    -- What the user says about the own status; NULL: nothing.
    choice  TEXT,
    -- When the user was last online, in ms since 1970; NULL: never.
    seen_at INTEGER,
    name    TEXT,
    -- Whether the user was online when this was written.
    online  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX people_online ON people (user) WHERE online;

-- Chats and who is in them. Their logs are the channels `private-chat.{id}`.

CREATE TABLE chats (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    title      TEXT,
    open       INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_members (
    chat    TEXT    NOT NULL,
    user    TEXT    NOT NULL,
    name    TEXT,
    role    TEXT    NOT NULL,
    -- What an invited user becomes by joining.
    becomes TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    -- The order in which they came.
    place   INTEGER NOT NULL,
    PRIMARY KEY (chat, user)
) STRICT, WITHOUT ROWID;

-- Who is in which presence channel, so that nobody is seen to leave and come when the server starts again.

CREATE TABLE attendance (
    channel TEXT NOT NULL,
    user    TEXT NOT NULL,
    name    TEXT,
    PRIMARY KEY (channel, user)
) STRICT, WITHOUT ROWID;
