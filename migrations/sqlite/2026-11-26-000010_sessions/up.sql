-- Who is logged in to the Navigator; a session is known by the hash of what its cookie has.
CREATE TABLE sessions (
    hash TEXT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    begun_at TIMESTAMP NOT NULL,
    seen_at TIMESTAMP NOT NULL,
    peer TEXT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
