-- The catalogue and the runs. Decimals are TEXT: exact in both databases, whatever their size.
-- Times are UTC.

CREATE TABLE categories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    parent_id BIGINT REFERENCES categories (id),
    position INTEGER NOT NULL DEFAULT 0,
    active BOOLEAN NOT NULL,
    image TEXT,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX categories_by_parent ON categories (parent_id, position, id);

CREATE TABLE category_names (
    category_id BIGINT NOT NULL REFERENCES categories (id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (category_id, language)
) WITHOUT ROWID;

CREATE TABLE articles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- As given, for showing.
    sku TEXT NOT NULL,
    -- In Unicode form C, for comparing.
    sku_key TEXT NOT NULL UNIQUE,
    manufacturer TEXT,
    manufacturer_number TEXT,
    gtin TEXT,
    unit TEXT,
    tax_class TEXT,
    weight TEXT,
    list_price TEXT,
    list_currency TEXT,
    list_gross BOOLEAN,
    special_price TEXT,
    special_currency TEXT,
    special_gross BOOLEAN,
    special_from TIMESTAMP,
    special_until TIMESTAMP,
    price_group TEXT,
    discount_group TEXT,
    accounting_group TEXT,
    active BOOLEAN NOT NULL,
    active_from TIMESTAMP,
    active_until TIMESTAMP,
    availability TEXT,
    delivery_time TEXT,
    -- The key of the article of which this is a variant; it may come later.
    variant_of TEXT,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX articles_by_change ON articles (changed_at, id);
CREATE INDEX articles_by_parent ON articles (variant_of) WHERE variant_of IS NOT NULL;

-- Names, texts and meta data, one a kind and language.
CREATE TABLE article_texts (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (article_id, kind, language)
) WITHOUT ROWID;

CREATE TABLE article_categories (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    category_id BIGINT NOT NULL REFERENCES categories (id),
    position INTEGER NOT NULL,
    PRIMARY KEY (article_id, category_id)
) WITHOUT ROWID;
CREATE INDEX article_categories_by_category ON article_categories (category_id, article_id);

CREATE TABLE article_stocks (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    warehouse TEXT NOT NULL,
    quantity TEXT NOT NULL,
    PRIMARY KEY (article_id, warehouse)
) WITHOUT ROWID;

-- On what the variants of an article differ.
CREATE TABLE article_axes (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    axis TEXT NOT NULL,
    PRIMARY KEY (article_id, position)
) WITHOUT ROWID;

-- Where a variant stands on the axes of its parent.
CREATE TABLE article_axis_values (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    axis TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (article_id, position)
) WITHOUT ROWID;

CREATE TABLE article_attributes (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (article_id, position)
) WITHOUT ROWID;

CREATE TABLE article_media (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    location TEXT NOT NULL,
    PRIMARY KEY (article_id, position)
) WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    profile TEXT,
    -- The profile as it was when the run was accepted.
    profile_text TEXT,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    source_name TEXT NOT NULL,
    source_path TEXT NOT NULL,
    source_sha256 TEXT NOT NULL,
    source_size BIGINT NOT NULL,
    dry_run BOOLEAN NOT NULL,
    batch_size INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    attempt INTEGER NOT NULL DEFAULT 0,
    -- The node at work, and when it was last heard of.
    node TEXT,
    heartbeat_at TIMESTAMP,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    failure TEXT
);
CREATE INDEX runs_by_state ON runs (state, id);
CREATE INDEX runs_by_source ON runs (source_sha256, id);

-- How far a run is: written in the transaction of each batch, so that it goes on from there.
CREATE TABLE run_progress (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    bytes_done BIGINT NOT NULL DEFAULT 0,
    read_count BIGINT NOT NULL DEFAULT 0,
    created_count BIGINT NOT NULL DEFAULT 0,
    updated_count BIGINT NOT NULL DEFAULT 0,
    unchanged_count BIGINT NOT NULL DEFAULT 0,
    skipped_count BIGINT NOT NULL DEFAULT 0,
    deleted_count BIGINT NOT NULL DEFAULT 0,
    failed_count BIGINT NOT NULL DEFAULT 0,
    warning_count BIGINT NOT NULL DEFAULT 0,
    message_count BIGINT NOT NULL DEFAULT 0,
    read_millis BIGINT NOT NULL DEFAULT 0,
    write_millis BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE run_messages (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    severity TEXT NOT NULL,
    code TEXT NOT NULL,
    record_key TEXT,
    record BIGINT,
    line BIGINT,
    col BIGINT,
    field TEXT,
    value TEXT,
    text TEXT NOT NULL,
    suggestion TEXT,
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

-- How many records were done when, for the timeline.
CREATE TABLE run_samples (
    run_id BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    at TIMESTAMP NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (run_id, at)
) WITHOUT ROWID;
