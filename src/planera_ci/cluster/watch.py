"""Live objects of a namespace, kept current by watches; no polling.

Each kind is listed once and then followed from that resource version. A watch that ends is followed
on; where the connection drops, or the API server no longer has the version (410 Gone), all is listed again, not at
once: a server that refuses to be watched is not to be asked for everything all the time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from threading import Thread

import anyio
from anyio.from_thread import BlockingPortal
from anyio.streams.memory import MemoryObjectSendStream

from planera_ci.cluster.client import Cluster
from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import AccessDenied, ClusterError
from planera_ci.tasks import together

_WATCH_SECONDS, _SILENCE = 5, 2.5
"""A watch is asked for anew every few seconds, from where it was: a tunnel does not say that its other end is gone."""
_RETRY_SECONDS = 0.5
_MOST_RETRIES = 20
_NOBODY_LISTENS = (RuntimeError, anyio.BrokenResourceError, anyio.ClosedResourceError, CancelledError)


class Live:
    """What is known of a namespace now, and a signal for whatever comes next."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[Key, Obj]] = {}
        self._changed = anyio.Event()

    @property
    def objects(self) -> dict[Key, Obj]:
        """Return all that is known."""
        return {key: obj for objs in self._kinds.values() for key, obj in objs.items()}

    def of(self, kind: str) -> tuple[Obj, ...]:
        """Return the live objects of a kind."""
        return tuple(self._kinds.get(kind, {}).values())

    def get(self, key: Key) -> Obj | None:
        """Return one object, or nothing where there is none."""
        return self._kinds.get(key.kind, {}).get(key)

    async def change(self) -> None:
        """Return when something has changed since the last call."""
        await self._changed.wait()
        self._changed = anyio.Event()

    def replace(self, kind: str, objs: Iterable[Obj]) -> None:
        """Take over a fresh list of one kind; an answer to our own write may be newer than the list."""
        listed = {Key.of(obj): slim(obj) for obj in objs}
        known = self._kinds.get(kind, {})
        newer = {k: obj for k, obj in known.items() if k in listed and _version(obj) > _version(listed[k])}
        self._kinds[kind] = listed | newer
        self._changed.set()

    def take(self, event: Obj) -> None:
        """Take over one event; one that is older than what is known is let go."""
        obj, key = event["object"], Key.of(event["object"])
        objs = self._kinds.setdefault(key.kind, {})
        known = objs.get(key)
        if known is not None and _version(known) > _version(obj):
            return
        if event["type"] == "DELETED":
            objs.pop(key, None)
        else:
            objs[key] = slim(obj)
        self._changed.set()


def slim(obj: Obj) -> Obj:
    """Return an object without the list of its managed fields: half of its size, of which only the times are of use."""
    meta = obj["metadata"]
    if not meta.get("managedFields"):
        return obj
    times = [{k: v for k, v in entry.items() if k != "fieldsV1"} for entry in meta["managedFields"]]
    return {**obj, "metadata": {**meta, "managedFields": times}}


def _version(obj: Obj) -> int:
    """Return a resource version as the number that etcd counts (KEP-5504 makes this official)."""
    version = obj["metadata"].get("resourceVersion", "")
    return int(version) if version.isdigit() else 0


@asynccontextmanager
async def watching(cluster: Cluster, namespace: str, kinds: Iterable[tuple[str, str]]) -> AsyncIterator[Live]:
    """Keep the objects of these kinds current while the block runs, which begins when all are known."""
    live = Live()
    listed: list[anyio.Event] = []
    async with together() as group:
        for api_version, kind in kinds:
            listed.append(anyio.Event())
            group.start_soon(_follow, cluster, live, api_version, kind, namespace, listed[-1])
        for each in listed:
            await each.wait()
        yield live
        group.cancel_scope.cancel()


async def _follow(
    cluster: Cluster, live: Live, api_version: str, kind: str, namespace: str, listed: anyio.Event
) -> None:
    path = await cluster.path(Key(api_version, kind, namespace, ""))
    failures, version = 0, ""
    while True:
        try:
            if not version:
                objs, version = await cluster.listing(api_version, kind, namespace)
                live.replace(kind, objs)
                listed.set()
                failures = 0  # what is known is true, however badly a watch goes: it is listed again and again
            version = await _stream(cluster, live, path, version)
        except ClusterError as error:
            failures, version = failures + 1, ""
            denied = isinstance(error, AccessDenied) and not cluster.health.recovering
            if denied or failures > _MOST_RETRIES:
                raise
        if not version:
            await anyio.sleep(_RETRY_SECONDS)


async def _stream(cluster: Cluster, live: Live, path: str, version: str) -> str:
    """Follow one watch until it ends; return the version to go on from, or nothing where that is gone."""
    query = [
        ("watch", "true"),
        ("resourceVersion", version),
        ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", str(_WATCH_SECONDS)),
    ]
    send, receive = anyio.create_memory_object_stream[Obj | Exception](1000)
    ended: Exception | None = None  # raised outside of the portal, which would wrap it in a group
    async with BlockingPortal() as portal:
        # A daemon: it blocks on a socket, and the process must be able to end without it.
        Thread(target=_pump, args=(cluster, path, query, portal, send), daemon=True).start()
        with receive:
            async for event in receive:
                if isinstance(event, Exception):
                    ended = event
                    break
                if event["type"] == "ERROR":  # 410 Gone
                    version = ""
                    break
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    live.take(event)
        await portal.stop(cancel_remaining=True)
    if ended:
        raise ended
    return version


def _pump(
    cluster: Cluster,
    path: str,
    query: list[tuple[str, str]],
    portal: BlockingPortal,
    send: MemoryObjectSendStream[Obj | Exception],
) -> None:
    """Hand on what comes, and what ends it if that is no good end."""
    try:
        for event in cluster.follow(path, query, _WATCH_SECONDS + _SILENCE):
            portal.call(send.send, event)
    except _NOBODY_LISTENS:
        return
    except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
        with suppress(*_NOBODY_LISTENS):
            portal.call(send.send, error)
    with suppress(*_NOBODY_LISTENS):
        portal.call(send.aclose)
