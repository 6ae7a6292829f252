-- Orders, their documents, payments and shipments, and their way to the ERP.

-- Files, each content once, whoever has it.
CREATE TABLE contents (
    sha256 TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    bytes BLOB NOT NULL
);

-- What was handed out together; the number is what it is confirmed by.
CREATE TABLE order_exports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    handed_out_at TIMESTAMP NOT NULL,
    leased_until TIMESTAMP NOT NULL,
    warehouse TEXT,
    attempts INTEGER NOT NULL,
    confirmed_at TIMESTAMP
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL,
    number_key TEXT NOT NULL UNIQUE,
    reference TEXT,
    ordered_at TIMESTAMP NOT NULL,
    -- Of a guest, none.
    customer_id BIGINT REFERENCES customers (id),
    email TEXT,
    language TEXT,
    currency TEXT NOT NULL,
    exchange_rate TEXT,
    gross BOOLEAN NOT NULL,
    exemption TEXT,
    goods TEXT NOT NULL,
    net TEXT NOT NULL,
    tax TEXT NOT NULL,
    total TEXT NOT NULL,
    payment_method TEXT,
    prepaid BOOLEAN NOT NULL,
    shipping_method TEXT,
    comment TEXT,
    weight TEXT,
    closed BOOLEAN NOT NULL DEFAULT FALSE,
    -- Derived from documents and payments, kept for finding.
    state TEXT NOT NULL,
    export_state TEXT NOT NULL,
    export_id BIGINT REFERENCES order_exports (id),
    export_message TEXT,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);
CREATE INDEX orders_by_change ON orders (changed_at, id);
CREATE INDEX orders_by_customer ON orders (customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX orders_by_state ON orders (state, id);
CREATE INDEX orders_to_export ON orders (export_state, id);
CREATE INDEX orders_by_export ON orders (export_id) WHERE export_id IS NOT NULL;

-- The addresses as they were when it was ordered.
CREATE TABLE order_addresses (
    order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    -- billing or delivery.
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
    email TEXT,
    PRIMARY KEY (order_id, kind)
);

CREATE TABLE order_positions (
    order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    -- None: the article is gone, or there never was one.
    article_id BIGINT REFERENCES articles (id) ON DELETE SET NULL,
    sku TEXT,
    text TEXT,
    quantity TEXT NOT NULL,
    unit TEXT,
    unit_price TEXT NOT NULL,
    discount TEXT NOT NULL,
    amount TEXT NOT NULL,
    tax_percent TEXT NOT NULL,
    warehouse TEXT,
    cancelled TEXT NOT NULL,
    PRIMARY KEY (order_id, number)
);
CREATE INDEX order_positions_by_article ON order_positions (article_id) WHERE article_id IS NOT NULL;

CREATE TABLE order_serials (
    order_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    place INTEGER NOT NULL,
    serial TEXT NOT NULL,
    PRIMARY KEY (order_id, position, place),
    FOREIGN KEY (order_id, position) REFERENCES order_positions (order_id, number) ON DELETE CASCADE
);

CREATE TABLE order_charges (
    order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount TEXT NOT NULL,
    tax_percent TEXT,
    text TEXT,
    PRIMARY KEY (order_id, place)
);

-- What a charge has at which rate of tax.
CREATE TABLE order_charge_shares (
    order_id BIGINT NOT NULL,
    charge INTEGER NOT NULL,
    place INTEGER NOT NULL,
    percent TEXT NOT NULL,
    amount TEXT NOT NULL,
    PRIMARY KEY (order_id, charge, place),
    FOREIGN KEY (order_id, charge) REFERENCES order_charges (order_id, place) ON DELETE CASCADE
);

CREATE TABLE order_taxes (
    order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    percent TEXT NOT NULL,
    net TEXT NOT NULL,
    tax TEXT NOT NULL,
    gross TEXT NOT NULL,
    PRIMARY KEY (order_id, place)
);

CREATE TABLE order_attributes (
    order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (order_id, position)
);

CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number TEXT NOT NULL,
    number_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    date DATE NOT NULL,
    amount TEXT,
    text TEXT,
    pdf TEXT REFERENCES contents (sha256),
    recorded_at TIMESTAMP NOT NULL
);
CREATE INDEX documents_by_order ON documents (order_id, id);
CREATE INDEX documents_by_pdf ON documents (pdf) WHERE pdf IS NOT NULL;

CREATE TABLE document_parts (
    document_id BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    quantity TEXT NOT NULL,
    PRIMARY KEY (document_id, position)
);

CREATE TABLE payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    method TEXT,
    state TEXT NOT NULL,
    amount TEXT NOT NULL,
    refunded TEXT NOT NULL,
    transaction_name TEXT,
    at TIMESTAMP NOT NULL
);
CREATE INDEX payments_by_order ON payments (order_id, id);

CREATE TABLE shipments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    order_id BIGINT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    carrier TEXT,
    tracking_number TEXT,
    tracking_url TEXT,
    shipped_at TIMESTAMP NOT NULL
);
CREATE INDEX shipments_by_order ON shipments (order_id, id);

CREATE TABLE shipment_parts (
    shipment_id BIGINT NOT NULL REFERENCES shipments (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    quantity TEXT NOT NULL,
    PRIMARY KEY (shipment_id, position)
);
