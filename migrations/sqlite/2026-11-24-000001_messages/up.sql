-- Requests and answers that were kept to look at, without their secrets.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TIMESTAMP NOT NULL,
    request_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    service TEXT NOT NULL,
    -- None: it was refused before that was known.
    operation TEXT,
    caller TEXT,
    peer TEXT,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    microseconds BIGINT NOT NULL,
    -- Verb, path and query.
    target TEXT NOT NULL,
    request_type TEXT NOT NULL,
    request TEXT NOT NULL,
    -- How many bytes it had; more than are kept, if it was cut off.
    request_bytes BIGINT NOT NULL,
    response_type TEXT NOT NULL,
    response TEXT NOT NULL,
    response_bytes BIGINT NOT NULL
);
CREATE INDEX messages_by_time ON messages (at, id);
CREATE INDEX messages_by_request ON messages (request_id);
