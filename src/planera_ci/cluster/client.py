"""A cluster as few verbs on plain objects: get, list, apply, create, delete, watch, log.

The generated client is used for what it is good at (kubeconfig, TLS, tokens); objects stay the
JSON that the API server sends, because a typed copy would lose the fields that it does not know.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from planera_ci.cluster.connection import cause_of, connection, refusal, refuse_weak_pods, token_of
from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import ClusterError, Conflict, NotFound, Rejected, Unreachable

FIELD_MANAGER = "planera-ci"
_CONNECT, _READ = 5.0, 15.0
_PARALLEL = 10
_AGAIN = 0.5
_LOG_LINES = 50
# With status 200 and in place of a log, where the container of before is gone already.
_NO_LOG = "unable to retrieve container logs"
_SKEW = 2.0


@dataclass(frozen=True)
class Resource:
    """How the API server names a kind in its paths."""

    plural: str
    namespaced: bool


Fence = Callable[[], Awaitable[float]]
"""Raises where a write is not allowed any more, else returns the seconds for which it still is."""


@dataclass
class Cluster:
    """One API server, reached with one kubeconfig."""

    api: ApiClient
    server: str
    patience: float = 0.0
    """Seconds for which an API server that does not answer is asked again: it may be restarting."""
    fence: Fence | None = None
    """Called before every write; it raises where writing is not allowed any more."""
    read: float = _READ
    """Seconds that an answer may take: through a tunnel, a connection whose other end is gone just stays silent."""
    enforced: str = ""
    """The level of Pod Security that the namespace enforces: a dry run that warns of it is taken as refused."""
    ahead: float = 0.0
    """Seconds by which the API server's clock is ahead of ours."""
    _resources: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _limit: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_PARALLEL))

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

    def now(self) -> float:
        """Return the time by the API server's clock, in seconds since 1970."""
        return time.time() + self.ahead

    async def log(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = _LOG_LINES
    ) -> str:
        """Return the end of a container's log, or nothing where there is none."""
        query = [("container", container), ("tailLines", str(lines)), ("previous", str(previous).lower())]
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        try:
            text = str(await self._thread(partial(self._request, "GET", path, query=query, act=f"read log of {pod}")))
        except ClusterError:
            return ""
        return "" if text.startswith(_NO_LOG) else text

    def follow(self, path: str, query: list[tuple[str, str]], silence: float) -> Iterator[Obj]:
        """Yield watch events as they come; blocks, so it belongs in a thread of its own.

        A stream that stays silent for longer than the given seconds is taken for dead.
        """
        response = self._raw("GET", path, query=query, read=silence)
        try:
            rest = b""
            for chunk in response.stream(amt=None):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (json.loads(line) for line in lines if line)
        finally:
            response.close()
            response.release_conn()

    async def path(self, key: Key) -> str:
        """Return an object's path on the API server; with no name, its collection's."""
        resource = await self._resource(key)
        root = f"/apis/{key.api_version}" if "/" in key.api_version else f"/api/{key.api_version}"
        middle = f"/namespaces/{key.namespace}" if resource.namespaced and key.namespace else ""
        return f"{root}{middle}/{resource.plural}" + (f"/{key.name}" if key.name else "")

    async def _resource(self, key: Key) -> Resource:
        version = key.api_version
        if version not in self._resources:
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            try:
                answer = await self._call("GET", root, act=f"read the kinds of {version}")
            except NotFound:
                answer = {"resources": []}
            self._resources[version] = {
                entry["kind"]: Resource(entry["name"], entry["namespaced"])
                for entry in answer["resources"]
                if "/" not in entry["name"]
            }
        try:
            return self._resources[version][key.kind]
        except KeyError:
            raise Rejected(
                f"read {key}",
                f"the cluster knows no {key.kind} in {version}",
                "correct apiVersion and kind, or install what defines them",
            ) from None

    async def _write(self, method: str, path: str, *, query: list[tuple[str, str]] | None = None, **kwargs: Any) -> Any:
        """Change something, if that is still allowed, and have the server give up when it no longer is."""
        if self.fence is None:
            return await self._call(method, path, query=query, **kwargs)
        left = await self.fence()
        return await self._call(
            method, path, query=[*(query or ()), ("timeout", f"{left:.0f}s")], fenced=True, **kwargs
        )

    async def _call(self, method: str, path: str, *, act: str, fenced: bool = False, **kwargs: Any) -> Any:
        """Call, and call again while the server gives no answer: every call here may be repeated."""
        deadline = anyio.current_time() + self.patience
        while True:
            try:
                return json.loads(await self._thread(partial(self._request, method, path, act=act, **kwargs)))
            except Unreachable:
                if anyio.current_time() >= deadline:
                    raise
                await anyio.sleep(_AGAIN)
            if fenced and self.fence:
                await self.fence()

    async def _thread(self, call: Any) -> Any:
        return await anyio.to_thread.run_sync(call, limiter=self._limit, abandon_on_cancel=True)

    def _request(self, method: str, path: str, *, act: str, **kwargs: Any) -> str:
        try:
            response = self._raw(method, path, **kwargs)
            self._note_clock(response)
            if self.enforced and "dryRun" in dict(kwargs.get("query") or ()):
                refuse_weak_pods(response.headers.getlist("Warning"), self.enforced, act)
            return str(response.data.decode())
        except ApiException as error:
            raise refusal(error, act, self.server, token_of(self.api)) from error
        except (HTTPError, OSError) as error:
            raise Unreachable(
                act, f"no answer from {self.server} ({cause_of(error)})", "check the kubeconfig's server and --cluster"
            ) from error

    def _note_clock(self, response: Any) -> None:
        """Note how far the server's clock is ahead; its header has whole seconds, so that less says nothing."""
        date = response.headers.get("Date")
        if date:
            ahead = parsedate_to_datetime(date).timestamp() + 0.5 - time.time()
            self.ahead = ahead if abs(ahead) > _SKEW else 0.0

    def _raw(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: Obj | None = None,
        content: str = "application/json",
        read: float | None = None,
    ) -> Any:
        return self.api.call_api(
            path,
            method,
            query_params=query or [],
            header_params={"Accept": "application/json", "Content-Type": content},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=(_CONNECT, read or self.read),
        )


def connect(kubeconfig: str, address: str = "") -> Cluster:
    """Open a cluster from a kubeconfig; `address` is where its API server is reached instead."""
    return Cluster(*connection(kubeconfig, address))
