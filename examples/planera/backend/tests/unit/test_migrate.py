"""Migrations: files in order, each applied once, never edited."""

import pytest

from planera_backend.migrate import FOLDER, Migration, MigrationError, migrations_in, pending

ONE, TWO = Migration(1, "001_one", "SELECT 1"), Migration(2, "002_two", "SELECT 2")


def test_the_migrations_of_this_version_are_in_order():
    """What is shipped can be read."""
    assert [migration.name for migration in migrations_in(FOLDER)] == ["001_tasks", "002_done"]


def test_only_new_ones_are_pending():
    """What the database has recorded is left alone, also what only a newer version knows."""
    assert pending([ONE, TWO], {}) == [ONE, TWO]
    assert pending([ONE, TWO], {1: ONE.sha256}) == [TWO]
    assert pending([ONE], {1: ONE.sha256, 2: TWO.sha256}) == []


def test_an_edited_migration_is_refused():
    """Two databases of one version must have one schema."""
    with pytest.raises(MigrationError, match="001_one was edited after it was applied"):
        pending([ONE], {1: "another"})


@pytest.mark.parametrize("names", [["1_one.sql"], ["001_one.sql", "003_three.sql"], ["001_a.sql", "001_b.sql"]])
def test_bad_names_are_refused(tmp_path, names):
    """No gaps, no doubles, no guessing."""
    for name in names:
        (tmp_path / name).write_text("SELECT 1")

    with pytest.raises(MigrationError):
        migrations_in(tmp_path)
