DROP TABLE warehouse_addresses;
DROP TABLE warehouse_names;
DROP TABLE warehouses;
DROP INDEX article_stocks_by_warehouse;
DROP TABLE stock_bookings;
