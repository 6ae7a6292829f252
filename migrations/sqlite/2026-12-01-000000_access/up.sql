-- Users can be disabled; a database that had a user once asks for a log-in for ever.

ALTER TABLE users ADD COLUMN disabled_at TIMESTAMP;

-- One row, from the first user on, however that was added.
CREATE TABLE authentication_required (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    since TIMESTAMP NOT NULL
);
INSERT INTO authentication_required (id, since)
SELECT 1, MIN(created_at) FROM users HAVING COUNT(*) > 0;

CREATE TRIGGER users_require_authentication AFTER INSERT ON users
BEGIN
    INSERT OR IGNORE INTO authentication_required (id, since) VALUES (1, NEW.created_at);
END;
