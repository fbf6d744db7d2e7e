"""A cluster as few verbs on plain objects: get, list, apply, create, replace, delete, log."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from planera_ci.cluster.connection import connection
from planera_ci.cluster.kinds import Kinds
from planera_ci.cluster.server import Server, uptime
from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import AccessDenied, ClusterError, Conflict, NotFound, Unreachable

FIELD_MANAGER = "planera-ci"
_PARALLEL = 10
_AGAIN = 0.5
_LOG_LINES = 50
# With status 200 and in place of a log, where the container of before is gone already.
_NO_LOG = "unable to retrieve container logs"

Fence = Callable[[], Awaitable[float]]
"""Raises where a write is not allowed any more, else returns the seconds for which it still is."""
Result = TypeVar("Result")


@dataclass
class Cluster(Server):
    """One API server as verbs on plain objects."""

    patience: float = 0.0
    """Seconds for which an API server that does not answer is asked again: it may be restarting."""
    fence: Fence | None = None
    """Called before every write; it raises where writing is not allowed any more."""
    limit: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_PARALLEL))
    """How many requests are under way at once; who must not wait for others has one of his own."""
    _kinds: Kinds = field(default_factory=Kinds)

    def guarded(self, fence: Fence) -> Cluster:
        """Return the same cluster with a fence before every write."""
        return replace(self, fence=fence)

    async def get(self, key: Key) -> Obj | None:
        """Return a live object, or nothing where there is none."""
        try:
            found: Obj = await self._call("GET", await self.path(key), act=f"read {key}")
        except NotFound:
            return None
        return found

    async def apply(self, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Apply an object server-side as our field manager; a dry run changes nothing."""
        key = Key.of(obj)
        query = [("fieldManager", FIELD_MANAGER), ("force", "true"), ("fieldValidation", "Strict")]
        call = self._call if dry_run else self._write
        applied: Obj = await call(
            "PATCH",
            await self.path(key),
            query=query + ([("dryRun", "All")] if dry_run else []),
            body=obj,
            content="application/apply-patch+yaml",
            act=f"apply {key}",
        )
        return applied

    async def replace(self, obj: Obj) -> Obj:
        """Put an object in place of the one with its resource version; raise Conflict if that has changed."""
        key = Key.of(obj)
        query = [("fieldManager", FIELD_MANAGER)]
        replaced: Obj = await self._write("PUT", await self.path(key), query=query, body=obj, act=f"replace {key}")
        return replaced

    async def patch(self, key: Key, steps: list[Obj], *, dry_run: bool = False) -> Obj:
        """Change an object by a JSON patch; raise Conflict if it tests a resource version that has changed."""
        query = [("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict")]
        call = self._call if dry_run else self._write
        patched: Obj = await call(
            "PATCH",
            await self.path(key),
            query=query + ([("dryRun", "All")] if dry_run else []),
            body=steps,
            content="application/json-patch+json",
            act=f"{'apply' if dry_run else 'take over'} {key}",
        )
        return patched

    async def create(self, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Create an object that must not be there yet."""
        key = Key.of(obj)
        query = [("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict")]
        call = self._call if dry_run else self._write
        created: Obj = await call(
            "POST",
            (await self.path(key)).rpartition("/")[0],
            query=query + ([("dryRun", "All")] if dry_run else []),
            body=obj,
            act=f"create {key}",
        )
        return created

    async def recreate(self, obj: Obj, wait: float) -> None:
        """Put an object in the place of one with its name, once that is gone (bounded); for who alone makes such."""
        key = Key.of(obj)
        await self.delete(key, wait=wait)
        try:
            await self.create(obj)
        except Conflict:
            if await self.get(key) is None:
                raise
            # it is our own: the answer to the first try was lost

    async def delete(self, key: Key, *, uid: str = "", wait: float = 0) -> None:
        """Delete an object and what it owns; with `wait`, return once it is gone (bounded)."""
        body: Obj = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            await self._write("DELETE", await self.path(key), body=body, act=f"delete {key}")
        except NotFound:
            return
        except Conflict:
            if not uid:
                raise
            return  # what has this name by now is another object
        if not wait:
            return
        with anyio.move_on_after(wait):
            while await self.get(key) is not None:  # noqa: ASYNC110 - what is waited for is in the cluster
                await anyio.sleep(0.1)
            return
        raise ClusterError(f"delete {key}", f"still there after {wait:.0f} s", "look at its finalizers")

    async def listing(
        self, api_version: str, kind: str, namespace: str, *, selector: str = ""
    ) -> tuple[tuple[Obj, ...], str]:
        """Return the objects of a kind (with these labels) and the resource version to watch them from."""
        path = await self.path(Key(api_version, kind, namespace, ""))
        query = [("labelSelector", selector)] if selector else []
        answer = await self._call("GET", path, query=query, act=f"list {kind} in {namespace}")
        objs = tuple({"apiVersion": api_version, "kind": kind, **item} for item in answer["items"])
        return objs, answer["metadata"]["resourceVersion"]

    async def token(self, account: Key, seconds: int) -> str:
        """Return a token for a service account that ends after these seconds, or sooner if the server says so."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        path = f"{await self.path(account)}/token"
        answer = await self._write("POST", path, body=body, act=f"get a token for {account}")
        return str(answer["status"]["token"])

    async def version(self) -> str:
        """Return the API server's version, and note what its clock says; also the cheapest proof that it answers."""
        answer = await self._call("GET", "/version", act="reach the cluster")
        return str(answer["gitVersion"])

    async def log(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = _LOG_LINES
    ) -> str:
        """Return the end of a container's log, or nothing where there is none."""
        query = [("container", container), ("tailLines", str(lines)), ("previous", str(previous).lower())]
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        async with self.limit:
            text = str(await _thread(partial(self.end_of, path, query)))
        return "" if text.startswith(_NO_LOG) else text

    async def path(self, key: Key) -> str:
        """Return an object's path on the API server; with no name, its collection's."""
        return await self._kinds.path(key, self._ask)

    async def _ask(self, path: str, act: str) -> Any:
        return await self._call("GET", path, act=act)

    async def _write(self, method: str, path: str, **kwargs: Any) -> Any:
        """Change something, if that is still allowed, and have the server give up when it no longer is."""
        return await self._call(method, path, fence=self.fence, whole=True, **kwargs)

    async def _call(
        self, method: str, path: str, *, act: str, fence: Fence | None = None, whole: bool = False, **kwargs: Any
    ) -> Any:
        """Call, and call again while the server gives no answer: every call here may be repeated.

        A write is waited for even by who is cancelled: what follows must not be overtaken by it.
        """
        deadline = anyio.current_time() + self.patience
        while True:
            async with self.limit:
                # Asked only now: what the fence said to who then waits for a place would be too old when it is sent.
                left = await fence() if fence else None
                until = uptime() + left if left is not None else None
                request = partial(self.request, method, path, act=act, until=until, **kwargs)
                try:
                    return json.loads(await _thread(request, whole=whole))
                except (Unreachable, AccessDenied) as error:
                    passing = isinstance(error, Unreachable) or self.health.recovering
                    if not passing or anyio.current_time() >= deadline:
                        raise
            await anyio.sleep(_AGAIN)


async def _thread(call: Callable[[], Result], *, whole: bool = False) -> Result:
    """Run what blocks in a thread; how many there are is for who calls to limit."""
    return await anyio.to_thread.run_sync(call, limiter=anyio.CapacityLimiter(1), abandon_on_cancel=not whole)


def connect(kubeconfig: str, address: str = "") -> Cluster:
    """Open a cluster from a kubeconfig; `address` is where its API server is reached instead."""
    return Cluster(*connection(kubeconfig, address))
