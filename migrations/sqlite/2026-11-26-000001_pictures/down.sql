DROP INDEX article_media_by_file;
ALTER TABLE article_media DROP COLUMN file_key;
DROP TABLE picture_renditions;
DROP TABLE picture_texts;
DROP TABLE pictures;
