"""Mend what a run left half done that was killed: undo it, or leave it to the release that comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.history import Archive
from planera_ci.domain.history import History, Outcome, Record
from planera_ci.domain.moments import stamp
from planera_ci.errors import LockLost, PlaneraError
from planera_ci.pipeline.clock import Clock


@dataclass(frozen=True)
class Mending:
    """What follows a run that did not end; everything here happens under the lock."""

    archive: Archive
    cluster: Cluster
    clock: Clock
    restore: Callable[[Record, History], Awaitable[None]]

    async def mended(self, history: History, version: str) -> History:
        """Undo what a killed run left half done; what cannot be undone is left to the release that comes."""
        left = history.unfinished
        if left is None:
            return history
        who, good = left.run or left.holder, history.good
        if good is None or not to_undo(history, version):
            self.clock.say(f"revision {left.revision} was left half done by {who}; this deployment takes it on")
            return history
        self.clock.say(f"revision {left.revision} was left half done by {who}; first it is undone")
        try:
            await self.restore(good, history)
        except LockLost:
            raise
        except PlaneraError as error:
            self.clock.say(f"it could not be undone: {error}")
            return history
        return await self._closed(left, good)

    async def dropped(self, history: History) -> None:
        """Undo what an interrupted run left, where the release that should finish it was refused."""
        if history.unfinished and history.good:
            try:
                await self.restore(history.good, history)
                await self._closed(history.unfinished, history.good)
            except LockLost:
                raise
            except PlaneraError as error:  # why the new one was refused is what is to be told
                self.clock.say(f"what an interrupted run left could not be undone: {error}")

    async def _closed(self, left: Record, good: Record) -> History:
        """Record that an interrupted revision is undone."""
        undone = f"undone: back to revision {good.revision}"
        closed = {"outcome": Outcome.INTERRUPTED, "message": undone, "ended_at": stamp(self.cluster.now())}
        await self.archive.close(left.model_copy(update=closed))
        return await self.archive.load()


def to_undo(history: History, version: str) -> bool:
    """Tell whether an interrupted revision is to be undone: there is a good one, and not the same comes again.

    A rotation is undone in any case: what comes is the same release, but does not switch its values.
    """
    left = history.unfinished
    return left is not None and history.good is not None and (left.version != version or bool(left.rotates))
