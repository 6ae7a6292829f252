-- Customers, what their numbers were, what they have to the good.

CREATE TABLE customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- As given, for showing.
    number TEXT NOT NULL,
    -- In Unicode form C, for comparing.
    number_key TEXT NOT NULL UNIQUE,
    -- The customer that this one was merged into: whoever asks for this one gets that one.
    merged_into BIGINT REFERENCES customers (id),
    email TEXT,
    -- In lower case, for comparing.
    email_key TEXT,
    company TEXT,
    first_name TEXT,
    last_name TEXT,
    language TEXT,
    currency TEXT,
    tax_id TEXT,
    price_group TEXT,
    discount_group TEXT,
    payment_terms TEXT,
    credit_limit TEXT,
    credit_limit_currency TEXT,
    blocked BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX customers_by_change ON customers (changed_at, id);
CREATE INDEX customers_by_email ON customers (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX customers_by_merge ON customers (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX customers_by_price_group ON customers (price_group, number_key) WHERE price_group IS NOT NULL;

-- Numbers that customers had before.
CREATE TABLE customer_aliases (
    number_key TEXT PRIMARY KEY,
    number TEXT NOT NULL,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE
);
CREATE INDEX customer_aliases_by_customer ON customer_aliases (customer_id);

-- The next number of each range; moved on in one statement, so that no two get the same.
CREATE TABLE number_ranges (
    name TEXT PRIMARY KEY,
    next BIGINT NOT NULL
);

CREATE TABLE customer_addresses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    -- billing or delivery.
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
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
    email TEXT,
    UNIQUE (customer_id, kind, key)
);

CREATE TABLE customer_campaigns (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    campaign TEXT NOT NULL,
    PRIMARY KEY (customer_id, campaign)
) WITHOUT ROWID;

CREATE TABLE customer_payment_methods (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    method TEXT NOT NULL,
    PRIMARY KEY (customer_id, position)
) WITHOUT ROWID;

CREATE TABLE customer_consents (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    given BOOLEAN NOT NULL,
    at TIMESTAMP,
    PRIMARY KEY (customer_id, purpose)
) WITHOUT ROWID;

CREATE TABLE customer_attributes (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (customer_id, position)
) WITHOUT ROWID;

-- What customers got and used of their credit; the balance is their sum.
CREATE TABLE credit_bookings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT,
    booked_at TIMESTAMP NOT NULL
);
CREATE INDEX credit_bookings_by_customer ON credit_bookings (customer_id, id);

CREATE TABLE customer_merges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    into_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    merged_at TIMESTAMP NOT NULL,
    undone_at TIMESTAMP
);
CREATE INDEX customer_merges_by_customer ON customer_merges (customer_id, id);
CREATE INDEX customer_merges_by_other ON customer_merges (into_id, id);

-- What moved with a merge, so that it can go back.
CREATE TABLE customer_merge_moves (
    merge_id BIGINT NOT NULL REFERENCES customer_merges (id) ON DELETE CASCADE,
    -- The table of the record.
    record TEXT NOT NULL,
    record_id BIGINT NOT NULL,
    -- What an address was called, and was for, before.
    kind_before TEXT,
    key_before TEXT,
    PRIMARY KEY (merge_id, record, record_id)
) WITHOUT ROWID;

-- What groups of customers are called; a group need not be here to be used.
CREATE TABLE customer_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    UNIQUE (kind, key)
);

CREATE TABLE customer_group_names (
    group_id BIGINT NOT NULL REFERENCES customer_groups (id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (group_id, language)
) WITHOUT ROWID;
