DROP TRIGGER users_require_authentication;
DROP TABLE authentication_required;
ALTER TABLE users DROP COLUMN disabled_at;
