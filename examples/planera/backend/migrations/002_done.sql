ALTER TABLE tasks ADD COLUMN done boolean NOT NULL DEFAULT false;

CREATE INDEX tasks_in_order ON tasks (done, due NULLS LAST, id);
