-- Upkeep by place: what is removed is found by channel and offset, so that a step costs what it removes and not what is kept.

CREATE INDEX sends_place ON sends (channel, offset, at);

DROP INDEX sends_at;

-- Sends up to this offset have been removed. They outlive their messages, but not for ever.
ALTER TABLE channels ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;

CREATE INDEX channels_unswept ON channels (id) WHERE swept < trimmed;

CREATE INDEX bans_until ON bans (until) WHERE until IS NOT NULL;

CREATE INDEX revocations_until ON revocations (until);

-- One row: no log exceeds this retention by more than appends tolerate.
CREATE TABLE upkeep (retention INTEGER NOT NULL) STRICT;

INSERT INTO upkeep VALUES (9223372036854775807);
