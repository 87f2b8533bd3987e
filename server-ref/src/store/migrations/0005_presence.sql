-- Who is in which presence channel, so that nobody is seen to leave and come when the server starts again.

CREATE TABLE attendance (
    channel TEXT NOT NULL,
    user    TEXT NOT NULL,
    name    TEXT,
    PRIMARY KEY (channel, user)
) STRICT, WITHOUT ROWID;
