-- What a message does to another one of its channel: answers, edits or deletes it.

ALTER TABLE messages ADD COLUMN action TEXT;
ALTER TABLE messages ADD COLUMN target BLOB;
