"""A pod for one errand: made, waited for, worked in, and deleted whatever happens.

Its name is fixed, so that the right to run programs in pods can be given for that name alone. What a killed
run left of it is replaced: whoever comes here holds the lock that the killed one held.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.exec import Ran, Sink, run
from planera_ci.cluster.rollout import Hide, Say, Tracker
from planera_ci.cluster.watch import watching
from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import ClusterError, DataError, last_lines

KINDS = (("v1", "Pod"), ("v1", "Event"), ("v1", "PersistentVolumeClaim"))
_GONE_WITHIN = 60.0


@dataclass(frozen=True)
class Errand:
    """A running pod, and what is done in it."""

    cluster: Cluster
    pod: Key
    container: str
    act: str
    hide: Hide

    async def run(self, what: str, command: tuple[str, ...], *, sink: Sink | None = None) -> str:
        """Run a program that must succeed and return what it printed; `what` says in an error what it was for."""
        return self._good(what, await run(self.cluster, self.pod, self.container, command, sink=sink))

    async def give(self, what: str, command: tuple[str, ...], data: Iterator[bytes]) -> str:
        """Run a program that takes these bytes, and must succeed."""
        return self._good(what, await run(self.cluster, self.pod, self.container, command, given=data))

    def _good(self, what: str, ran: Ran) -> str:
        if ran.code:
            told = self.hide(last_lines(ran.err or ran.out))
            raise DataError(self.act, f"{what} failed with code {ran.code}", tail=told)
        return ran.out


@asynccontextmanager
async def errand(cluster: Cluster, pod: Obj, *, act: str, within: float, say: Say, hide: Hide) -> AsyncIterator[Errand]:
    """Have a pod ready while the block runs."""
    key = Key.of(pod)
    try:
        since = int(cluster.now())
        await cluster.recreate(pod, _GONE_WITHIN)
        async with watching(cluster, key.namespace, KINDS) as live:
            await Tracker(cluster, live, act, say, hide, since).rolled_out((key,), within)
        yield Errand(cluster, key, pod["spec"]["containers"][0]["name"], act, hide)
    finally:
        # Where it cannot be deleted now, it ends by itself, and the next errand removes it.
        with anyio.CancelScope(shield=True), suppress(ClusterError):
            await cluster.delete(key)
