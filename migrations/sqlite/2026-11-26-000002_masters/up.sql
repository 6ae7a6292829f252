-- What articles name: manufacturers, units, accounting groups; their pieces by serial number; and documents for their buyers.

CREATE TABLE manufacturers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    website TEXT,
    country TEXT,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX manufacturers_by_change ON manufacturers (changed_at, id);

CREATE TABLE manufacturer_names (
    manufacturer_id BIGINT NOT NULL REFERENCES manufacturers (id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (manufacturer_id, language)
) WITHOUT ROWID;

CREATE TABLE units (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    code TEXT,
    decimals INTEGER,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX units_by_change ON units (changed_at, id);

CREATE TABLE unit_names (
    unit_id BIGINT NOT NULL REFERENCES units (id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (unit_id, language)
) WITHOUT ROWID;

CREATE TABLE accounting_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    revenue_account TEXT,
    expense_account TEXT,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX accounting_groups_by_change ON accounting_groups (changed_at, id);

CREATE TABLE accounting_group_names (
    accounting_group_id BIGINT NOT NULL REFERENCES accounting_groups (id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (accounting_group_id, language)
) WITHOUT ROWID;

CREATE TABLE serial_numbers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    number TEXT NOT NULL,
    number_key TEXT NOT NULL,
    warehouse TEXT,
    -- The order's number, as it may come later.
    order_number TEXT,
    order_key TEXT,
    sold_at TIMESTAMP,
    warranty_until DATE,
    note TEXT,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    UNIQUE (article_id, number_key)
);
CREATE INDEX serial_numbers_by_number ON serial_numbers (number_key);
CREATE INDEX serial_numbers_by_order ON serial_numbers (order_key) WHERE order_key IS NOT NULL;
CREATE INDEX serial_numbers_by_warranty ON serial_numbers (warranty_until) WHERE warranty_until IS NOT NULL;
CREATE INDEX serial_numbers_by_change ON serial_numbers (changed_at, id);

CREATE TABLE article_documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_name TEXT NOT NULL,
    file_key TEXT NOT NULL UNIQUE,
    sku_key TEXT,
    media_type TEXT NOT NULL,
    content TEXT NOT NULL REFERENCES contents (sha256),
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX article_documents_by_article ON article_documents (sku_key) WHERE sku_key IS NOT NULL;
CREATE INDEX article_documents_by_content ON article_documents (content);
CREATE INDEX article_documents_by_change ON article_documents (changed_at, id);

CREATE TABLE article_document_titles (
    document_id BIGINT NOT NULL REFERENCES article_documents (id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    title TEXT NOT NULL,
    PRIMARY KEY (document_id, language)
) WITHOUT ROWID;
