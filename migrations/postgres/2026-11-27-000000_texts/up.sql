-- Files that are sent again are mostly what they were: a record whose text is known need not be read to know that
-- nothing changes.

-- The digest of the text that made an article what it is; none: something else changed it since.
ALTER TABLE articles ADD COLUMN text_digest TEXT;
