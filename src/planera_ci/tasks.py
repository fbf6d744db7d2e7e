"""Work side by side whose failure is told as itself, not as a group of one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup

from planera_ci.errors import first_error

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")
One = TypeVar("One")
Other = TypeVar("Other")


@asynccontextmanager
async def together() -> AsyncIterator[TaskGroup]:
    """Run tasks side by side; the first that fails ends the others, and its own error is raised."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as error:
        raise first_error(error) from None


async def each(items: Iterable[Item], call: Callable[[Item], Awaitable[Result]]) -> dict[Item, Result]:
    """Call for every item side by side, and return the results in the items' order."""
    items = tuple(items)
    results: dict[Item, Result] = {}

    async def one(item: Item) -> None:
        results[item] = await call(item)

    async with together() as group:
        for item in items:
            group.start_soon(one, item)
    return {item: results[item] for item in items}


async def both(first: Callable[[], Awaitable[One]], second: Callable[[], Awaitable[Other]]) -> tuple[One, Other]:
    """Do two things side by side, and return what came of each."""
    found: list[Other] = []

    async def other() -> None:
        found.append(await second())

    async with together() as group:
        group.start_soon(other)
        one = await first()
    return one, found[0]
