DROP TABLE signal_deliveries;
DROP TABLE signal_warehouses;
DROP TABLE signals;
DROP TABLE signal_target_warehouses;
DROP TABLE signal_target_events;
DROP TABLE signal_targets;
