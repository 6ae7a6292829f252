-- Pictures of articles. Whose one is stands in its name or in the media of articles, and the article may come later: so it is
-- by its number, not by its id, that a picture leads to an article.

CREATE TABLE pictures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_name TEXT NOT NULL,
    -- In small letters and Unicode form C.
    file_key TEXT NOT NULL UNIQUE,
    sku_key TEXT,
    position INTEGER,
    content TEXT NOT NULL REFERENCES contents (sha256),
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'failed')),
    error TEXT,
    -- Of the making of its sizes.
    attempts INTEGER NOT NULL,
    leased_until TIMESTAMP,
    ready_at TIMESTAMP,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    CHECK ((sku_key IS NULL) = (position IS NULL))
);
CREATE UNIQUE INDEX pictures_by_article ON pictures (sku_key, position) WHERE sku_key IS NOT NULL;
CREATE INDEX pictures_by_content ON pictures (content);
CREATE INDEX pictures_by_change ON pictures (changed_at, id);
CREATE INDEX pictures_waiting ON pictures (id) WHERE state = 'waiting';
CREATE INDEX pictures_by_readiness ON pictures (ready_at) WHERE ready_at IS NOT NULL;

-- What can be seen.
CREATE TABLE picture_texts (
    picture_id BIGINT NOT NULL REFERENCES pictures (id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (picture_id, language)
) WITHOUT ROWID;

CREATE TABLE picture_renditions (
    picture_id BIGINT NOT NULL REFERENCES pictures (id) ON DELETE CASCADE,
    size INTEGER NOT NULL,
    format TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    content TEXT NOT NULL REFERENCES contents (sha256),
    PRIMARY KEY (picture_id, size, format)
) WITHOUT ROWID;
CREATE INDEX picture_renditions_by_content ON picture_renditions (content);

-- The name of the file that a medium of an article is, as it is compared.
ALTER TABLE article_media ADD COLUMN file_key TEXT NOT NULL DEFAULT '';
UPDATE article_media SET file_key = lower(replace(location, rtrim(location, replace(location, '/', '')), ''));
CREATE INDEX article_media_by_file ON article_media (file_key);
