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
