-- Exports as runs; runs that are paused, go first, or write all or nothing; what dry runs would change.

-- import, export
ALTER TABLE runs ADD COLUMN direction TEXT NOT NULL DEFAULT 'import';
-- The highest goes first.
ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN all_or_nothing BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE runs ADD COLUMN pause_requested BOOLEAN NOT NULL DEFAULT FALSE;

-- What an export is to give.
CREATE TABLE run_exports (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    -- Only what changed since.
    since TIMESTAMP,
    -- Of an incremental one: whose increments it gives.
    consumer TEXT,
    packed BOOLEAN NOT NULL,
    -- Of an incremental one of orders.
    lease_seconds INTEGER,
    warehouse TEXT,
    export_id BIGINT REFERENCES order_exports (id) ON DELETE SET NULL
);

-- Up to when a consumer of incremental exports has all that changed.
CREATE TABLE export_marks (
    kind TEXT NOT NULL,
    consumer TEXT NOT NULL,
    changed_before TIMESTAMP NOT NULL,
    PRIMARY KEY (kind, consumer)
);

ALTER TABLE run_progress ADD COLUMN filter_millis BIGINT NOT NULL DEFAULT 0;

-- What a dry run would change: the first of its records.
CREATE TABLE run_changes (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    record BIGINT NOT NULL,
    record_key TEXT NOT NULL,
    -- created, updated
    outcome TEXT NOT NULL,
    PRIMARY KEY (run_id, number)
);
CREATE TABLE run_change_fields (
    run_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    place INTEGER NOT NULL,
    field TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (run_id, number, place),
    FOREIGN KEY (run_id, number) REFERENCES run_changes (run_id, number) ON DELETE CASCADE
);

-- The runs of a kind, to compare one with those before it.
CREATE INDEX runs_by_kind ON runs (kind, direction, id);
