ALTER TABLE articles DROP COLUMN text_digest;
