-- Changes are ordered by numbers, not by times: a clock may be set back. Each transaction that changes records gives them a number that is
-- higher than the numbers of all transactions before it. Another table with such a column is added to `store/change_numbers.rs` too.

CREATE TABLE change_sequence (number BIGINT NOT NULL);

-- When the machine was started, by the wall clock in milliseconds, as it was asked for first after that: leases are counted from there.
CREATE TABLE lease_clock (boot TEXT PRIMARY KEY, started_at BIGINT NOT NULL) WITHOUT ROWID;

ALTER TABLE categories ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE articles ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE customers ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE customer_groups ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE price_entries ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE line_discounts ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vouchers ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attribute_definitions ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE manufacturers ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE units ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounting_groups ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE serial_numbers ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE article_documents ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pictures ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE warehouses ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signal_targets ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE article_stocks ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;

-- Existing records get numbers in the order of their times: milliseconds.
UPDATE categories SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE articles SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE customers SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE customer_groups SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE price_entries SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE line_discounts SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE vouchers SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE orders SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE attribute_definitions SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE manufacturers SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE units SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE accounting_groups SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE serial_numbers SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE article_documents SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE pictures SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE warehouses SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE signal_targets SET change_number = COALESCE(CAST(round(unixepoch(changed_at, 'subsec') * 1000) AS INTEGER), 1);
UPDATE article_stocks SET change_number = (SELECT a.change_number FROM articles a WHERE a.id = article_stocks.article_id);

-- What changed in the millisecond of a mark is exported once more rather than never.
ALTER TABLE export_marks ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
UPDATE export_marks SET change_number = COALESCE(CAST(round(unixepoch(changed_before, 'subsec') * 1000) AS INTEGER) - 1, 0);
ALTER TABLE run_exports ADD COLUMN after_change BIGINT;
ALTER TABLE run_exports ADD COLUMN until_change BIGINT;

INSERT INTO change_sequence (number)
SELECT max(number) FROM (
    SELECT 0 AS number
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM categories
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM articles
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM customers
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM customer_groups
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM price_entries
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM line_discounts
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM vouchers
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM orders
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM attribute_definitions
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM manufacturers
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM units
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM accounting_groups
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM serial_numbers
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM article_documents
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM pictures
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM warehouses
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM signal_targets
    UNION ALL SELECT COALESCE(max(change_number), 0) FROM export_marks
);

CREATE INDEX categories_by_change_number ON categories (change_number);
CREATE INDEX articles_by_change_number ON articles (change_number);
CREATE INDEX customers_by_change_number ON customers (change_number);
CREATE INDEX customer_groups_by_change_number ON customer_groups (change_number);
CREATE INDEX price_entries_by_change_number ON price_entries (change_number);
CREATE INDEX line_discounts_by_change_number ON line_discounts (change_number);
CREATE INDEX vouchers_by_change_number ON vouchers (change_number);
CREATE INDEX orders_by_change_number ON orders (change_number);
CREATE INDEX attribute_definitions_by_change_number ON attribute_definitions (change_number);
CREATE INDEX manufacturers_by_change_number ON manufacturers (change_number);
CREATE INDEX units_by_change_number ON units (change_number);
CREATE INDEX accounting_groups_by_change_number ON accounting_groups (change_number);
CREATE INDEX serial_numbers_by_change_number ON serial_numbers (change_number);
CREATE INDEX article_documents_by_change_number ON article_documents (change_number);
CREATE INDEX pictures_by_change_number ON pictures (change_number);
CREATE INDEX warehouses_by_change_number ON warehouses (change_number);
CREATE INDEX signal_targets_by_change_number ON signal_targets (change_number);
CREATE INDEX article_stocks_by_change_number ON article_stocks (change_number);

-- Statements that write many rows number them themselves (`store/bulk.rs`); the triggers number what all others write.
CREATE TRIGGER categories_numbered_new AFTER INSERT ON categories WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE categories SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER categories_numbered AFTER UPDATE OF version ON categories WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE categories SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER articles_numbered_new AFTER INSERT ON articles WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE articles SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER articles_numbered AFTER UPDATE OF version ON articles WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE articles SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER customers_numbered_new AFTER INSERT ON customers WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE customers SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER customers_numbered AFTER UPDATE OF version ON customers WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE customers SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER customer_groups_numbered_new AFTER INSERT ON customer_groups WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE customer_groups SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER customer_groups_numbered AFTER UPDATE OF version ON customer_groups WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE customer_groups SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER price_entries_numbered_new AFTER INSERT ON price_entries WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE price_entries SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER price_entries_numbered AFTER UPDATE OF version, customer_id ON price_entries WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE price_entries SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER line_discounts_numbered_new AFTER INSERT ON line_discounts WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE line_discounts SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER line_discounts_numbered AFTER UPDATE OF version, customer_id ON line_discounts WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE line_discounts SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER vouchers_numbered_new AFTER INSERT ON vouchers WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE vouchers SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER vouchers_numbered AFTER UPDATE OF version, customer_id, used ON vouchers WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE vouchers SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER orders_numbered_new AFTER INSERT ON orders WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE orders SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER orders_numbered AFTER UPDATE OF version, customer_id ON orders WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE orders SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER attribute_definitions_numbered_new AFTER INSERT ON attribute_definitions WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE attribute_definitions SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER attribute_definitions_numbered AFTER UPDATE OF version ON attribute_definitions WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE attribute_definitions SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER manufacturers_numbered_new AFTER INSERT ON manufacturers WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE manufacturers SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER manufacturers_numbered AFTER UPDATE OF version ON manufacturers WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE manufacturers SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER units_numbered_new AFTER INSERT ON units WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE units SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER units_numbered AFTER UPDATE OF version ON units WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE units SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER accounting_groups_numbered_new AFTER INSERT ON accounting_groups WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE accounting_groups SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER accounting_groups_numbered AFTER UPDATE OF version ON accounting_groups WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE accounting_groups SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER serial_numbers_numbered_new AFTER INSERT ON serial_numbers WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE serial_numbers SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER serial_numbers_numbered AFTER UPDATE OF version ON serial_numbers WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE serial_numbers SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER article_documents_numbered_new AFTER INSERT ON article_documents WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE article_documents SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER article_documents_numbered AFTER UPDATE OF version ON article_documents WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE article_documents SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER pictures_numbered_new AFTER INSERT ON pictures WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE pictures SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER pictures_numbered AFTER UPDATE OF version ON pictures WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE pictures SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER warehouses_numbered_new AFTER INSERT ON warehouses WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE warehouses SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER warehouses_numbered AFTER UPDATE OF version ON warehouses WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE warehouses SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER signal_targets_numbered_new AFTER INSERT ON signal_targets WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE signal_targets SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER signal_targets_numbered AFTER UPDATE OF version ON signal_targets WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE signal_targets SET change_number = (SELECT number FROM change_sequence) WHERE id = NEW.id;
END;
CREATE TRIGGER article_stocks_numbered_new AFTER INSERT ON article_stocks WHEN NEW.change_number = 0 BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE article_stocks SET change_number = (SELECT number FROM change_sequence) WHERE article_id = NEW.article_id AND warehouse = NEW.warehouse;
END;
CREATE TRIGGER article_stocks_numbered AFTER UPDATE OF quantity ON article_stocks WHEN NEW.change_number = OLD.change_number BEGIN
    UPDATE change_sequence SET number = number + 1;
    UPDATE article_stocks SET change_number = (SELECT number FROM change_sequence) WHERE article_id = NEW.article_id AND warehouse = NEW.warehouse;
END;
