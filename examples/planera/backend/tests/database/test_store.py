"""Store and migrations against a real Postgres, named by the DATABASE_* variables; it gets a schema of its own.

Run by hand: `pytest tests/database`.
"""

import asyncio
import os
import threading
from dataclasses import replace
from datetime import date

import psycopg
import pytest

from planera_backend import store as store_module
from planera_backend.migrate import FOLDER, Migration, MigrationError, connect, migrate, migrations_in
from planera_backend.settings import DatabaseSettings
from planera_backend.store import Exists, TaskStore, Unavailable

SCHEMA = "planera_test"


@pytest.fixture
def database(monkeypatch):
    """Give an empty schema, gone afterwards."""
    settings = DatabaseSettings.of(os.environ)
    monkeypatch.setenv("PGOPTIONS", f"-c search_path={SCHEMA}")
    with psycopg.connect(**settings.parameters, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        yield settings
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def migrated(database):
    """Apply all migrations and say which were new."""
    with connect(database) as connection:
        return [migration.name for migration in migrate(connection, migrations_in(FOLDER))]


def with_store(database, use):
    """Run `use(store)` with an open store."""

    async def run():
        store = TaskStore(database)
        await store.open()
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(run())


def test_migrating_twice_does_nothing(database):
    """The second run finds all there."""
    assert migrated(database) == ["001_tasks", "002_done"]
    assert migrated(database) == []


def test_migrating_at_once_applies_once(database):
    """The advisory lock lets one run after the other."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(migrated(database))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [[], [], [], ["001_tasks", "002_done"]]


def test_a_broken_migration_leaves_nothing(database):
    """Neither its first half nor its record stays."""
    broken = Migration(1, "001_broken", "CREATE TABLE half (id int); SELECT nonsense")

    with connect(database) as connection:
        with pytest.raises(MigrationError, match='001_broken undone: column "nonsense" does not exist'):
            migrate(connection, [broken])
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM schema_migrations").fetchone() == (0,)


def test_an_absent_database_is_named(database):
    """The wait is bounded and the sentence says where."""
    with pytest.raises(MigrationError, match="database 127.0.0.1:1 not reachable within 0 s"):
        connect(replace(database, host="127.0.0.1", port=1), wait=0)


def test_the_life_of_a_task(database):
    """Create, list in order, change, delete, restore."""
    migrated(database)

    async def use(store):
        later = await store.create({"title": "later", "due": date(2026, 12, 31)})
        never = await store.create({"title": "whenever", "due": None})
        soon = await store.create({"title": "soon", "due": date(2026, 1, 1)})
        assert await store.list() == ([soon, later, never], 3)

        done = await store.update(soon.id, {"done": True, "title": 'it\'s "done"; --'})
        assert (done.done, done.title) == (True, 'it\'s "done"; --')
        assert await store.list() == ([later, never, done], 3)

        assert await store.delete(done.id) == done
        assert await store.delete(done.id) is None
        assert await store.update(done.id, {"done": False}) is None
        assert await store.restore(done) == done
        with pytest.raises(Exists):
            await store.restore(done)
        await store.check()

    with_store(database, use)


def test_a_long_list_is_cut_and_counted(database, monkeypatch):
    """The total tells what is not shown."""
    migrated(database)
    monkeypatch.setattr(store_module, "LISTED", 2)

    async def use(store):
        for number in range(3):
            await store.create({"title": f"task {number}", "due": None})
        tasks, total = await store.list()
        assert (len(tasks), total) == (2, 3)

    with_store(database, use)


def test_missing_tables_are_said(database):
    """A database before its first migration is unavailable, not a riddle."""

    async def use(store):
        await store.check()
        with pytest.raises(Unavailable, match="run the migrations"):
            await store.list()

    with_store(database, use)


def test_a_lost_connection_heals(database):
    """After the server dropped the connections, the next request works."""
    migrated(database)

    async def use(store):
        async with store.connection() as connection:
            pid = connection.info.backend_pid
        with psycopg.connect(**database.parameters, autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", [pid])
        await store.check()

    with_store(database, use)


def test_an_absent_database_is_unavailable(database):
    """The health check ends within its bound and gives no connection details away."""

    async def use(store):
        with pytest.raises(Unavailable) as caught:
            await store.check()
        assert str(caught.value) == "no answer from the database in time"

    with_store(replace(database, host="127.0.0.1", port=1), use)
