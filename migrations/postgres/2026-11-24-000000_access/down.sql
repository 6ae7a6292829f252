DROP TABLE audit_log;
DROP TABLE nonces;
DROP TABLE tokens;
DROP TABLE users;
