-- Changes are ordered by numbers, not by times: a clock may be set back. Each transaction that changes records gives them a number that is
-- higher than the numbers of all transactions before it. Another table with such a column is added to `store/change_numbers.rs` too.
--
-- A sequence would not do: the transaction with the lower number may commit later, when a reader has gone past it. The number is that of the
-- transaction, and readers stop below the oldest transaction that still runs: such a transaction delays what came after it, and nothing is
-- lost. Transaction numbers start again in another cluster (pg_dump, pg_restore); so a base is added to them, which
-- `keep_change_numbers_ascending` raises when new numbers would not exceed the stored ones.

CREATE FUNCTION change_base() RETURNS BIGINT LANGUAGE sql STABLE AS 'SELECT 0::bigint';

-- The number of what this transaction changes.
CREATE FUNCTION current_change_number() RETURNS BIGINT LANGUAGE sql STABLE AS 'SELECT change_base() + txid_current()';

-- Every change with this number or a lower one is committed or rolled back.
CREATE FUNCTION complete_change_number() RETURNS BIGINT LANGUAGE sql STABLE
AS 'SELECT change_base() + txid_snapshot_xmin(txid_current_snapshot()) - 1';

CREATE FUNCTION set_change_number() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    NEW.change_number := current_change_number();
    RETURN NEW;
END
$$;

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
UPDATE categories SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE articles SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE customers SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE customer_groups SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE price_entries SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE line_discounts SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE vouchers SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE orders SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE attribute_definitions SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE manufacturers SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE units SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE accounting_groups SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE serial_numbers SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE article_documents SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE pictures SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE warehouses SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE signal_targets SET change_number = floor(extract(epoch FROM changed_at) * 1000)::bigint;
UPDATE article_stocks SET change_number = a.change_number FROM articles a WHERE a.id = article_stocks.article_id;

-- What changed in the millisecond of a mark is exported once more rather than never.
ALTER TABLE export_marks ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
UPDATE export_marks SET change_number = floor(extract(epoch FROM changed_before) * 1000)::bigint - 1;
ALTER TABLE run_exports ADD COLUMN after_change BIGINT;
ALTER TABLE run_exports ADD COLUMN until_change BIGINT;

ALTER TABLE categories ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE articles ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE customers ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE customer_groups ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE price_entries ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE line_discounts ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE vouchers ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE orders ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE attribute_definitions ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE manufacturers ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE units ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE accounting_groups ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE serial_numbers ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE article_documents ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE pictures ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE warehouses ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE signal_targets ALTER COLUMN change_number SET DEFAULT current_change_number();
ALTER TABLE article_stocks ALTER COLUMN change_number SET DEFAULT current_change_number();

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

CREATE TRIGGER categories_numbered BEFORE UPDATE OF version ON categories FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER articles_numbered BEFORE UPDATE OF version ON articles FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER customers_numbered BEFORE UPDATE OF version ON customers FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER customer_groups_numbered BEFORE UPDATE OF version ON customer_groups FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER price_entries_numbered BEFORE UPDATE OF version, customer_id ON price_entries FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER line_discounts_numbered BEFORE UPDATE OF version, customer_id ON line_discounts FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER vouchers_numbered BEFORE UPDATE OF version, customer_id, used ON vouchers FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER orders_numbered BEFORE UPDATE OF version, customer_id ON orders FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER attribute_definitions_numbered BEFORE UPDATE OF version ON attribute_definitions FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER manufacturers_numbered BEFORE UPDATE OF version ON manufacturers FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER units_numbered BEFORE UPDATE OF version ON units FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER accounting_groups_numbered BEFORE UPDATE OF version ON accounting_groups FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER serial_numbers_numbered BEFORE UPDATE OF version ON serial_numbers FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER article_documents_numbered BEFORE UPDATE OF version ON article_documents FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER pictures_numbered BEFORE UPDATE OF version ON pictures FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER warehouses_numbered BEFORE UPDATE OF version ON warehouses FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER signal_targets_numbered BEFORE UPDATE OF version ON signal_targets FOR EACH ROW EXECUTE FUNCTION set_change_number();
CREATE TRIGGER article_stocks_numbered BEFORE UPDATE OF quantity ON article_stocks FOR EACH ROW EXECUTE FUNCTION set_change_number();

-- The highest number that is stored.
CREATE FUNCTION highest_change_number() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
    SELECT max(number) FROM (
        SELECT 0::bigint AS number
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
        UNION ALL SELECT COALESCE(max(change_number), 0) FROM article_stocks
        UNION ALL SELECT COALESCE(max(change_number), 0) FROM export_marks
    ) AS numbers
$$;

-- Raises the numbers to come if they would not exceed the stored ones; returns whether it did. Called when a node starts.
CREATE FUNCTION keep_change_numbers_ascending() RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
    highest BIGINT := highest_change_number();
BEGIN
    -- This statement sees a later state, so in a database that was not moved every stored number is below.
    IF highest < change_base() + txid_snapshot_xmax(txid_current_snapshot()) THEN
        RETURN FALSE;
    END IF;
    -- No writer may use both the old and the new base.
    LOCK TABLE categories, articles, customers, customer_groups, price_entries, line_discounts, vouchers, orders, attribute_definitions, manufacturers, units, accounting_groups, serial_numbers, article_documents, pictures, warehouses, signal_targets, article_stocks, export_marks
        IN SHARE ROW EXCLUSIVE MODE;
    highest := highest_change_number();
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION change_base() RETURNS BIGINT LANGUAGE sql STABLE AS %L',
        format('SELECT %s::bigint', highest + 1 - txid_snapshot_xmin(txid_current_snapshot()))
    );
    RETURN TRUE;
END
$$;

SELECT keep_change_numbers_ascending();
