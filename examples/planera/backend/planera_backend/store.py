"""Tasks in Postgres. The only file with SQL besides the migrations."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, OperationalError, errors, sql
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from .settings import DatabaseSettings
from .tasks import Task

LISTED = 500  # the newest part of a longer list would be no help to anybody
COLUMNS = sql.SQL("id, title, due, done, created")


class Unavailable(Exception):
    """The database cannot answer now; the message holds no connection details."""


class Exists(Exception):
    """The task to restore is there already."""


def refused(error: OperationalError) -> bool:
    """Tell whether it was the password that the database did not take."""
    return "authentication failed" in str(error)


class Connection(AsyncConnection):
    """A connection that tries each password: while one is being changed, nobody knows which is right."""

    @classmethod
    async def connect(cls, conninfo: str = "", *, passwords: Sequence[str] = ("",), **kwargs: Any) -> "Connection":
        """Connect with the first password that is taken."""
        *first, last = passwords
        for password in first:
            try:
                return await super().connect(conninfo, **kwargs | {"password": password})
            except OperationalError as error:
                if not refused(error):
                    raise
        return await super().connect(conninfo, **kwargs | {"password": last})


class TaskStore:
    """The tasks table behind a small pool, opened without waiting: an absent database is a 503, not a crash."""

    def __init__(self, database: DatabaseSettings) -> None:
        # A short reconnect_timeout keeps the pool from backing off for minutes: the next request tries anew.
        self.pool = AsyncConnectionPool(
            connection_class=Connection,
            kwargs=database.parameters | {"passwords": database.passwords},
            min_size=1,
            max_size=8,
            timeout=3,
            reconnect_timeout=2,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )

    async def open(self) -> None:
        """Start to connect."""
        await self.pool.open(wait=False)

    async def close(self) -> None:
        """Close the connections."""
        await self.pool.close()

    async def check(self) -> None:
        """Ask the database for a sign of life, and not for long: a probe waits for the answer."""
        question = asyncio.ensure_future(self.ask())
        # Not asyncio.timeout: a cancelled query first tries to tell the server, which may be the one that hangs.
        if not (await asyncio.wait([question], timeout=2))[0]:
            question.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            question.cancel()
            raise Unavailable("no answer from the database in time")
        question.result()

    async def ask(self) -> None:
        """Do the least that takes a working database."""
        async with self.connection() as connection:
            await connection.execute("SELECT 1")

    async def list(self) -> tuple[list[Task], int]:
        """Return the tasks to show, open and urgent ones first, and how many there are in all."""
        query = sql.SQL("SELECT {} FROM tasks ORDER BY done, due NULLS LAST, id LIMIT %s").format(COLUMNS)
        async with self.connection() as connection, connection.cursor(row_factory=class_row(Task)) as cursor:
            tasks = await (await cursor.execute(query, [LISTED])).fetchall()
            if len(tasks) < LISTED:
                return tasks, len(tasks)
            row = await (await connection.execute("SELECT count(*) FROM tasks")).fetchone()
            return tasks, row[0]

    async def create(self, fields: dict[str, Any]) -> Task:
        """Add a task."""
        query = "INSERT INTO tasks (title, due) VALUES (%(title)s, %(due)s) RETURNING {}"
        return await self.one(query, fields)

    async def update(self, task_id: int, fields: dict[str, Any]) -> Task | None:
        """Change the given fields of a task; None if there is no such task."""
        pairs = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in fields]
        query = sql.SQL("UPDATE tasks SET {} WHERE id = %(id)s RETURNING ").format(sql.SQL(", ").join(pairs))
        return await self.one(query + COLUMNS, fields | {"id": task_id})

    async def delete(self, task_id: int) -> Task | None:
        """Remove a task and return it; None if there is no such task."""
        return await self.one("DELETE FROM tasks WHERE id = %(id)s RETURNING {}", {"id": task_id})

    async def restore(self, task: Task) -> Task:
        """Put a deleted task back as it was, with its own id."""
        query = (
            "INSERT INTO tasks (id, title, due, done, created) OVERRIDING SYSTEM VALUE "
            "VALUES (%(id)s, %(title)s, %(due)s, %(done)s, %(created)s) ON CONFLICT DO NOTHING RETURNING {}"
        )
        restored = await self.one(query, vars(task))
        if restored is None:
            raise Exists
        return restored

    async def one(self, query: str | sql.Composable, parameters: dict[str, Any]) -> Task | None:
        """Run a statement that returns at most one task."""
        statement = sql.SQL(query).format(COLUMNS) if isinstance(query, str) else query
        async with self.connection() as connection, connection.cursor(row_factory=class_row(Task)) as cursor:
            return await (await cursor.execute(statement, parameters)).fetchone()

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection, one transaction long, and turn what went wrong into a safe sentence."""
        try:
            async with self.pool.connection(timeout) as connection:
                yield connection
        except PoolTimeout:
            raise Unavailable("no connection to the database in time") from None
        except errors.UndefinedTable:
            raise Unavailable("the database has no tables yet: run the migrations") from None
        except OperationalError as error:
            raise Unavailable("the connection to the database was lost") from error
