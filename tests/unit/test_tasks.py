"""Work side by side fails as itself."""

from __future__ import annotations

import anyio
import pytest

from planera_ci.errors import SmokeError
from planera_ci.tasks import together


async def test_the_first_failure_is_raised_as_itself() -> None:
    """A caller sees the sentence of the task that failed, not a group of one."""

    async def fail() -> None:
        raise SmokeError("smoke test backend", "it ended at its start")

    with pytest.raises(SmokeError, match="it ended at its start"):
        async with together() as group:
            group.start_soon(fail)


async def test_a_failure_ends_the_others() -> None:
    """What runs beside a task that fails is cancelled, not waited for."""
    ended = anyio.Event()

    async def wait() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async def fail() -> None:
        raise SmokeError("smoke test backend", "no answer")

    with pytest.raises(SmokeError):
        async with together() as group:
            group.start_soon(wait)
            group.start_soon(fail)
    assert ended.is_set()
