-- What all nodes have to reach of runs: sources and results, where nodes have folders of their own, and refused records.

-- A file by its content; whole once all of its pieces are there.
CREATE TABLE spooled (
    sha256 TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    whole BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE TABLE spooled_pieces (
    sha256 TEXT NOT NULL REFERENCES spooled (sha256) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (sha256, number)
);

-- The records that a run refused, in the form of its source, batch by batch: by the bytes before them.
CREATE TABLE run_rejected (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (run_id, number)
);
