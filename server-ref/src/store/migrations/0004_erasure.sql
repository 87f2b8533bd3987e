-- Erasure of users and deletion of chats: both are carried out in steps, and go on after a crash.

-- The users whose data is being removed. A request is here before anything of it is carried out, and until all of it is.
CREATE TABLE erasures (
    user TEXT    NOT NULL PRIMARY KEY,
    -- When it was requested, in ms since 1970.
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Logs whose entries and marks are being removed: their chats were deleted, or their users erased.
CREATE TABLE emptied (
    channel INTEGER NOT NULL PRIMARY KEY,
    -- Entries up to this offset.
    up_to   INTEGER NOT NULL
) STRICT;

-- Find what is kept of a user.

CREATE INDEX marks_user ON marks (user);

CREATE INDEX sessions_user ON sessions (user);

CREATE INDEX attendance_user ON attendance (user);

-- Entries about members, which name users other than their authors.
CREATE INDEX messages_members ON messages (channel, offset) WHERE event = 'everwire.chat';

CREATE INDEX replaced_place ON replaced (channel, offset);
