"""Work side by side whose failure is told as itself, not as a group of one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from planera_ci.errors import first_error


@asynccontextmanager
async def together() -> AsyncIterator[TaskGroup]:
    """Run tasks side by side; the first that fails ends the others, and its own error is raised."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as error:
        raise first_error(error) from None
