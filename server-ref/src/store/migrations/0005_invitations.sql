-- Who has invited a user who has not answered yet: the open invitations of one user by another are bounded.
ALTER TABLE chat_members ADD COLUMN invited_by TEXT;

-- Finds what is kept of an inviter who is erased.
CREATE INDEX chat_members_invited_by ON chat_members (invited_by) WHERE invited_by IS NOT NULL;
