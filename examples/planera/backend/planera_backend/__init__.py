"""The Planera API: tasks with due dates, kept in Postgres."""
