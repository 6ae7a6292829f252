-- Who may do what, and who did what. Times are UTC.

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    -- argon2id in PHC form; none: no log-in by password.
    password TEXT,
    -- What digests of WS-Security are made with; it cannot be a hash.
    digest_secret TEXT,
    -- The common name of a client's certificate that is this user.
    certificate TEXT UNIQUE,
    -- Names of roles, separated by blanks.
    roles TEXT NOT NULL,
    -- Log-ins in a row that failed, and until when no other is tried.
    failures INTEGER NOT NULL DEFAULT 0,
    locked_until TIMESTAMP,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- The part of the token that is no secret.
    public_id TEXT NOT NULL UNIQUE,
    -- SHA-256 of the part that is, hexadecimal.
    secret TEXT NOT NULL,
    -- Patterns of operations, separated by blanks; empty: all that the user may do.
    scopes TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP,
    used_at TIMESTAMP
);
CREATE INDEX tokens_by_user ON tokens (user_id);

-- What messages said that may be sent once only.
CREATE TABLE nonces (
    nonce TEXT PRIMARY KEY,
    until TIMESTAMP NOT NULL
);
CREATE INDEX nonces_by_time ON nonces (until);

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TIMESTAMP NOT NULL,
    -- The user; none: nobody who is known.
    caller TEXT,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    peer TEXT,
    request_id TEXT
);
CREATE INDEX audit_log_by_time ON audit_log (at, id);
