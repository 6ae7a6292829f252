-- Prices beside those of the articles themselves, discounts, and vouchers.

-- Prices of an article from a quantity on.
CREATE TABLE article_tier_prices (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    minimum TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    gross BOOLEAN NOT NULL,
    PRIMARY KEY (article_id, position)
) WITHOUT ROWID;

-- Units in which an article is sold too, and how many of its own they hold.
CREATE TABLE article_packaging (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    unit TEXT NOT NULL,
    factor TEXT NOT NULL,
    gtin TEXT,
    PRIMARY KEY (article_id, position)
) WITHOUT ROWID;

-- A price for a customer, a price group, a campaign, or (none of the three) everybody.
CREATE TABLE price_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    customer_id BIGINT REFERENCES customers (id) ON DELETE CASCADE,
    price_group TEXT,
    campaign TEXT,
    minimum TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    gross BOOLEAN NOT NULL,
    unit TEXT,
    valid_from TIMESTAMP,
    valid_until TIMESTAMP,
    allow_line_discount BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    CHECK ((customer_id IS NOT NULL) + (price_group IS NOT NULL) + (campaign IS NOT NULL) <= 1)
);
CREATE INDEX price_entries_by_article ON price_entries (article_id);
CREATE INDEX price_entries_of_customers ON price_entries (customer_id, article_id) WHERE customer_id IS NOT NULL;
CREATE INDEX price_entries_of_groups ON price_entries (price_group, article_id) WHERE price_group IS NOT NULL;
CREATE INDEX price_entries_of_campaigns ON price_entries (campaign, article_id) WHERE campaign IS NOT NULL;
CREATE INDEX price_entries_of_all ON price_entries (article_id)
    WHERE customer_id IS NULL AND price_group IS NULL AND campaign IS NULL;
CREATE INDEX price_entries_by_change ON price_entries (changed_at, id);

-- A discount of a customer, a group of customers, or all; on an article, a group of articles, or all.
CREATE TABLE line_discounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    customer_id BIGINT REFERENCES customers (id) ON DELETE CASCADE,
    customer_group TEXT,
    article_id BIGINT REFERENCES articles (id) ON DELETE CASCADE,
    article_group TEXT,
    minimum TEXT NOT NULL,
    percent TEXT NOT NULL,
    valid_from TIMESTAMP,
    valid_until TIMESTAMP,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    CHECK (customer_id IS NULL OR customer_group IS NULL),
    CHECK (article_id IS NULL OR article_group IS NULL)
);
CREATE INDEX line_discounts_by_article ON line_discounts (article_id) WHERE article_id IS NOT NULL;
CREATE INDEX line_discounts_of_customers ON line_discounts (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX line_discounts_of_groups ON line_discounts (customer_group) WHERE customer_group IS NOT NULL;
CREATE INDEX line_discounts_of_all ON line_discounts (article_id) WHERE customer_id IS NULL AND customer_group IS NULL;
CREATE INDEX line_discounts_by_change ON line_discounts (changed_at, id);

CREATE TABLE vouchers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- As given, for showing.
    code TEXT NOT NULL,
    -- In Unicode form C and lower case, for comparing.
    code_key TEXT NOT NULL UNIQUE,
    amount TEXT,
    currency TEXT,
    percent TEXT,
    minimum TEXT,
    minimum_currency TEXT,
    customer_id BIGINT REFERENCES customers (id) ON DELETE CASCADE,
    valid_from TIMESTAMP,
    valid_until TIMESTAMP,
    uses INTEGER,
    used INTEGER NOT NULL DEFAULT 0,
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    CHECK ((amount IS NULL) <> (percent IS NULL))
);
CREATE INDEX vouchers_by_customer ON vouchers (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX vouchers_by_change ON vouchers (changed_at, id);
