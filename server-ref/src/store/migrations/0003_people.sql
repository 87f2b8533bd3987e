-- How far users have received and read logs, who is online and when the others last were, and what finds the message that
-- another one edits, deletes or answers.

CREATE TABLE marks (
    channel   INTEGER NOT NULL,
    user      TEXT    NOT NULL,
    delivered INTEGER NOT NULL,
    read      INTEGER NOT NULL,
    PRIMARY KEY (channel, user)
) STRICT, WITHOUT ROWID;

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

CREATE INDEX messages_id ON messages (channel, id);

CREATE INDEX messages_deleted ON messages (channel, target) WHERE action = 'delete';
