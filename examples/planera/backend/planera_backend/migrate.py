"""Bring the database to this version's schema: `python -m planera_backend.migrate`.

Files of migrations/ are applied once each, in order, each in a transaction with its record.
Running it twice, or twice at once, is safe.
"""

import hashlib
import os
import re
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from .settings import DatabaseSettings, SettingsError

FOLDER = Path(__file__).parent.parent / "migrations"
WAIT = 60  # seconds
LOCK = 0x706C616E  # any number, the same in every run: "plan"
TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """The migrations cannot be applied; the message says why."""


@dataclass(frozen=True)
class Migration:
    """One file of migrations/."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Return the digest by which a later edit is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_in(folder: Path) -> list[Migration]:
    """Read NNN_name.sql files in order; numbers must be 1, 2, 3 and so on."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{3})_([a-z0-9_]+)\.sql", path.name)
        if not match:
            raise MigrationError(f"{path.name} is no migration: name it NNN_name.sql")
        found.append(Migration(int(match[1]), path.stem, path.read_text()))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"numbers must be 001, 002, …: found {', '.join(m.name for m in found)}")
    return found


def pending(migrations: list[Migration], applied: dict[int, str]) -> list[Migration]:
    """Return what is still to apply; an applied file that was edited since is an error."""
    for migration in migrations:
        if applied.get(migration.version, migration.sha256) != migration.sha256:
            raise MigrationError(f"{migration.name} was edited after it was applied: add a new migration instead")
    return [migration for migration in migrations if migration.version not in applied]


def connect(database: DatabaseSettings, wait: float = WAIT) -> psycopg.Connection:
    """Connect; a database that is not up yet is waited for, a wrong password is not."""
    deadline, passwords = time.monotonic() + wait, list(database.passwords)
    while True:
        try:
            return psycopg.connect(**database.parameters | {"password": passwords[0]}, autocommit=True)
        except psycopg.OperationalError as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[-1]
            if "authentication failed" in reason:
                if len(passwords) > 1:
                    passwords.pop(0)
                    continue
                raise MigrationError(f"database {database.host}:{database.port}: {reason}") from None
            if time.monotonic() > deadline:
                where = f"{database.host}:{database.port}"
                raise MigrationError(f"database {where} not reachable within {wait:.0f} s: {reason}") from None
            time.sleep(0.5)


def migrate(connection: psycopg.Connection, migrations: list[Migration]) -> list[Migration]:
    """Apply what is pending, alone, and return it."""
    connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    connection.execute(TABLE)
    applied = dict(connection.execute("SELECT version, sha256 FROM schema_migrations").fetchall())
    todo = pending(migrations, applied)
    for migration in todo:
        try:
            with connection.transaction():
                connection.execute(migration.sql.encode())
                connection.execute(
                    "INSERT INTO schema_migrations (version, name, sha256) VALUES (%s, %s, %s)",
                    [migration.version, migration.name, migration.sha256],
                )
        except psycopg.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise MigrationError(f"{migration.name} undone: {reason}") from error
        print(f"applied {migration.name}", flush=True)
    # Closing the connection frees the lock; a killed run frees it too.
    return todo


def main() -> int:
    """Migrate and say what was done."""
    # The first process of a container ignores SIGTERM unless it handles it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        migrations = migrations_in(FOLDER)
        with connect(DatabaseSettings.of(os.environ)) as connection:
            done = migrate(connection, migrations)
    except (SettingsError, MigrationError) as error:
        print(f"planera migrate: {error}", file=sys.stderr)
        return 1
    print(f"schema at {len(migrations):03}: {len(done)} applied, {len(migrations) - len(done)} were there", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
