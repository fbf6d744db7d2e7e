-- Safe to run again: a change of the schema is another statement here that is.
CREATE TABLE IF NOT EXISTS texts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    text text NOT NULL,
    counts jsonb -- none until the worker has been there
);

CREATE INDEX IF NOT EXISTS texts_waiting ON texts (id) WHERE counts IS NULL;
