"""The lock of an environment: one run at a time changes it, and a dead one does not block it for long.

A holder that is not sure to hold the lease any more writes nothing: before each write it looks at
the clock, and where its last sign of life is too old it renews first, which fails if the lease is
somebody else's by then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import anyio

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.server import uptime
from planera_ci.cluster.watch import watching
from planera_ci.domain.lease import (
    API_VERSION,
    KIND,
    RENEW_SECONDS,
    SECONDS,
    Held,
    Holder,
    freed,
    held,
    key_of,
    renewed,
    taken,
)
from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import AccessDenied, ClusterError, Conflict, LockHeld, LockLost, NotFound, Unreachable
from planera_ci.tasks import together

_MARGIN = 2.0
"""A write must end this many seconds before the lease does."""
_ENOUGH = 7.0
"""Seconds that a write is given; where the lease has fewer left, it is renewed first."""

_SOON = 0.5
_TRIES, _BRIEF = 5, 5.0
_PARALLEL = 4

Say = Callable[[str], None]


@dataclass
class Lock:
    """A lease that this run holds."""

    cluster: Cluster
    key: Key
    act: str
    holder: Holder
    lease: Obj
    renewed_at: float
    _renewing: anyio.Lock = field(default_factory=anyio.Lock)

    async def fence(self) -> float:
        """Return the seconds for which a write is safe; renew first where they are few, raise if the lease is lost."""
        while self._left() < _ENOUGH:
            await self.renew()
        return self._left()

    def _left(self) -> float:
        return SECONDS - _MARGIN - (uptime() - self.renewed_at)

    async def renew(self) -> None:
        """Show a sign of life; raise LockLost if the lease is somebody else's."""
        async with self._renewing:
            while True:
                begun = uptime()
                try:
                    self.lease = await self.cluster.replace(renewed(self.lease, self.cluster.now()))
                    break
                except (Conflict, NotFound):
                    self.lease = await self._mine()
            self.renewed_at = begun

    async def _mine(self) -> Obj:
        """Read the lease again: our own write whose answer was lost, or another holder's."""
        lease = await self.cluster.get(self.key)
        now = held(lease)
        if lease is None or now is None or now.holder.name != self.holder.name:
            raise self._lost(now)
        return lease

    def _lost(self, now: Held | None) -> LockLost:
        who = f"{now.holder} has taken it over" if now else "it was given free by somebody"
        return LockLost(
            self.act,
            f"this run was not heard of for {SECONDS} s, so the lock is not its own any more: {who}",
            "this run wrote nothing since; what it left half done is that run's to mend",
        )

    async def keep(self) -> None:
        """Renew until cancelled; an API server that does not answer for a while is no reason to give up."""
        while True:
            await anyio.sleep(RENEW_SECONDS)
            with suppress(Unreachable, AccessDenied):
                await self.renew()

    async def free(self) -> None:
        """Leave the lease to whoever comes next; it ends by itself where that fails.

        It is read anew: a renewal that was cancelled may still have reached the server.
        """
        brief = replace(self.cluster, patience=_BRIEF)
        for _ in range(_TRIES):
            with suppress(Conflict):
                lease = await brief.get(self.key)
                now = held(lease)
                if lease and now and now.holder.name == self.holder.name:
                    await brief.replace(freed(lease))
                return


@asynccontextmanager
async def locked(
    cluster: Cluster, namespace: str, app: str, holder: Holder, *, act: str, wait: float, say: Say
) -> AsyncIterator[Lock]:
    """Hold the environment's lock while the block runs; end the block as soon as the lock is lost."""
    # Requests of its own: a renewal must not queue behind logs that take their time.
    quick = replace(cluster, read=RENEW_SECONDS, limit=anyio.CapacityLimiter(_PARALLEL))
    lock = await _acquired(quick, key_of(namespace, app), holder, act=act, wait=wait, say=say)
    try:
        async with together() as group:
            group.start_soon(lock.keep)
            yield lock
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True), suppress(ClusterError):
            await lock.free()


async def _acquired(cluster: Cluster, key: Key, holder: Holder, *, act: str, wait: float, say: Say) -> Lock:
    lock = await _try(cluster, key, holder, act, say)
    if lock is not None:
        return lock
    who: Held | None = None
    with anyio.move_on_after(wait):
        async with watching(cluster, key.namespace, ((API_VERSION, KIND),)) as live:
            while True:
                seen = held(live.get(key))
                if seen and (who is None or seen.holder != who.holder):
                    say(f"waits for the lock, held by {seen.text(cluster.now())}, for at most {wait:.0f} s")
                who = seen or who
                with anyio.move_on_after(max(seen.ends - cluster.now(), _SOON) if seen else _SOON):
                    await live.change()
                lock = await _try(cluster, key, holder, act, say)
                if lock is not None:
                    return lock
    who = held(await cluster.get(key)) or who
    raise LockHeld(
        act,
        f"the lock is held by {who.text(cluster.now()) if who else 'another run'}; waited {wait:.0f} s",
        "nothing was applied; wait longer with --wait, or end that run: its lock is free "
        f"{SECONDS} s after its last sign of life",
    )


async def _try(cluster: Cluster, key: Key, holder: Holder, act: str, say: Say) -> Lock | None:
    """Take the lease if it is free or over, on top of just the lease that was seen."""
    lease = await cluster.get(key)
    who, begun = held(lease), uptime()
    if who and not who.over(cluster.now()):
        return None
    wanted = taken(key, lease, holder, cluster.now())
    try:
        mine = await (cluster.replace(wanted) if lease else cluster.create(wanted))
    except Conflict:
        found = await cluster.get(key)
        now = held(found)
        if found is None or now is None or now.holder.name != holder.name:
            return None
        mine = found  # our own write, whose answer was lost
    say(f"takes over the lock of {who.text(cluster.now())}" if who else f"holds the lock as {holder.name}")
    return Lock(cluster, key, act, holder, mine, begun)
