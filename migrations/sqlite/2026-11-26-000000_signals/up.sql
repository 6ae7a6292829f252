-- Who is told of what happens to orders, and what became of it.

CREATE TABLE signal_targets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    form TEXT NOT NULL,
    secret TEXT,
    user_name TEXT,
    password TEXT,
    active BOOLEAN NOT NULL,
    -- How often in a row it could not be told anything, and when it is tried again.
    failures BIGINT NOT NULL DEFAULT 0,
    resumes_at TIMESTAMP,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

-- None: everything.
CREATE TABLE signal_target_events (
    target_id BIGINT NOT NULL REFERENCES signal_targets (id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    PRIMARY KEY (target_id, event)
) WITHOUT ROWID;

-- None: all.
CREATE TABLE signal_target_warehouses (
    target_id BIGINT NOT NULL REFERENCES signal_targets (id) ON DELETE CASCADE,
    warehouse TEXT NOT NULL,
    PRIMARY KEY (target_id, warehouse)
) WITHOUT ROWID;

-- What happened. The order may be gone by the time that it is told.
CREATE TABLE signals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    at TIMESTAMP NOT NULL,
    order_number TEXT,
    order_key TEXT,
    reference TEXT,
    customer TEXT,
    state TEXT,
    state_before TEXT,
    payment TEXT,
    payment_state TEXT,
    total TEXT,
    currency TEXT
);
CREATE INDEX signals_by_order ON signals (order_key, id);
CREATE INDEX signals_by_time ON signals (at);

CREATE TABLE signal_warehouses (
    signal_id BIGINT NOT NULL REFERENCES signals (id) ON DELETE CASCADE,
    warehouse TEXT NOT NULL,
    PRIMARY KEY (signal_id, warehouse)
) WITHOUT ROWID;

CREATE TABLE signal_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    signal_id BIGINT NOT NULL REFERENCES signals (id) ON DELETE CASCADE,
    target_id BIGINT NOT NULL REFERENCES signal_targets (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts INTEGER NOT NULL,
    next_at TIMESTAMP NOT NULL,
    -- Until when a node has it in hand.
    leased_until TIMESTAMP,
    tried_at TIMESTAMP,
    status INTEGER,
    error TEXT
);
CREATE INDEX signal_deliveries_open ON signal_deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX signal_deliveries_by_target ON signal_deliveries (target_id, state, id);
CREATE INDEX signal_deliveries_by_signal ON signal_deliveries (signal_id);
