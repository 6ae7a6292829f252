DROP TABLE idempotency_keys;
CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    begun_at TIMESTAMP NOT NULL,
    status INTEGER,
    content_type TEXT,
    etag TEXT,
    location TEXT,
    body BYTEA
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (begun_at);
