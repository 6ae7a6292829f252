-- What attributes are, what articles have to do with each other, and how large they are.

ALTER TABLE articles ADD COLUMN length TEXT;
ALTER TABLE articles ADD COLUMN width TEXT;
ALTER TABLE articles ADD COLUMN height TEXT;

-- The value of a number, for finding; the text is exact.
ALTER TABLE article_attributes ADD COLUMN number DOUBLE PRECISION;
CREATE INDEX article_attributes_by_value ON article_attributes (code, value);
CREATE INDEX article_attributes_by_number ON article_attributes (code, number) WHERE number IS NOT NULL;

CREATE TABLE attribute_definitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    unit TEXT,
    filterable BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    changed_at TIMESTAMP NOT NULL
);

CREATE TABLE attribute_names (
    definition_id BIGINT NOT NULL REFERENCES attribute_definitions (id) ON DELETE CASCADE,
    -- Of the attribute itself, empty; else of that choice.
    choice TEXT NOT NULL,
    language TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (definition_id, choice, language)
) WITHOUT ROWID;

CREATE TABLE attribute_choices (
    definition_id BIGINT NOT NULL REFERENCES attribute_definitions (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (definition_id, position)
) WITHOUT ROWID;

-- The other article may come later: by its number in Unicode form C.
CREATE TABLE article_relations (
    article_id BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sku TEXT NOT NULL,
    PRIMARY KEY (article_id, position)
) WITHOUT ROWID;
CREATE INDEX article_relations_by_other ON article_relations (sku);
