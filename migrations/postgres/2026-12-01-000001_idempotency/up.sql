-- Answers of requests that may be sent again, by the hash of what identifies them. A row is written in the transaction of the change
-- that it answers, so that there is none without an answer.

DROP TABLE idempotency_keys;
CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    answered_at TIMESTAMP NOT NULL,
    answer BYTEA NOT NULL
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (answered_at);
