-- What came and went of stocks, and what warehouses are called.

CREATE TABLE stock_bookings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT UNIQUE,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    warehouse TEXT NOT NULL,
    -- What was asked for: a quantity, or a change of it.
    absolute BOOLEAN NOT NULL,
    given TEXT NOT NULL,
    quantity_before TEXT NOT NULL,
    quantity_after TEXT NOT NULL,
    reason TEXT,
    booked_at TIMESTAMP NOT NULL
);
CREATE INDEX stock_bookings_by_article ON stock_bookings (article_id, id);
CREATE INDEX stock_bookings_by_warehouse ON stock_bookings (warehouse, id);
CREATE INDEX stock_bookings_by_time ON stock_bookings (booked_at, article_id);
CREATE INDEX article_stocks_by_warehouse ON article_stocks (warehouse, article_id);

CREATE TABLE warehouses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

CREATE TABLE warehouse_names (
    warehouse_id BIGINT NOT NULL REFERENCES warehouses (id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (warehouse_id, language)
) WITHOUT ROWID;

CREATE TABLE warehouse_addresses (
    warehouse_id BIGINT PRIMARY KEY REFERENCES warehouses (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    company TEXT,
    salutation TEXT,
    first_name TEXT,
    last_name TEXT,
    addition TEXT,
    street TEXT,
    post_box TEXT,
    postal_code TEXT,
    city TEXT,
    region TEXT,
    country TEXT,
    phone TEXT,
    email TEXT
);
