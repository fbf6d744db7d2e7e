"""A cluster as few verbs on plain objects: get, list, apply, create, delete, watch, log.

The generated client is used for what it is good at (kubeconfig, TLS, tokens); objects stay the
JSON that the API server sends, because a typed copy would lose the fields that it does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import yaml
from kubernetes import config as kube_config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import AccessDenied, ClusterError, ConfigError, Rejected, Unreachable

FIELD_MANAGER = "planera-ci"
_CONNECT, _READ = 5.0, 30.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409
_TOO_MANY, _SERVER_ERROR = 429, 500
_PARALLEL = 10
# How the authorizer words a refusal; an admission webhook words its own.
_RIGHT = re.compile(r'User "[^"]*" cannot ')


@dataclass(frozen=True)
class Resource:
    """How the API server names a kind in its paths."""

    plural: str
    namespaced: bool


@dataclass
class Cluster:
    """One API server, reached with one kubeconfig."""

    api: ApiClient
    server: str
    _resources: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _limit: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_PARALLEL))

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
        applied: Obj = await self._call(
            "PATCH",
            await self.path(key),
            query=query + ([("dryRun", "All")] if dry_run else []),
            body=obj,
            content="application/apply-patch+yaml",
            act=f"apply {key}",
        )
        return applied

    async def create(self, obj: Obj, *, dry_run: bool = False) -> Obj:
        """Create an object that must not be there yet."""
        key = Key.of(obj)
        query = [("fieldManager", FIELD_MANAGER), ("fieldValidation", "Strict")]
        created: Obj = await self._call(
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
            await self._call("DELETE", await self.path(key), body=body, act=f"delete {key}")
        except NotFound:
            return
        if not wait:
            return
        with anyio.move_on_after(wait):
            while await self.get(key) is not None:  # noqa: ASYNC110 - what is waited for is in the cluster
                await anyio.sleep(0.1)
            return
        raise ClusterError(f"delete {key}", f"still there after {wait:.0f} s", "look at its finalizers")

    async def listing(self, api_version: str, kind: str, namespace: str) -> tuple[tuple[Obj, ...], str]:
        """Return the objects of a kind and the resource version to watch them from."""
        path = await self.path(Key(api_version, kind, namespace, ""))
        answer = await self._call("GET", path, act=f"list {kind} in {namespace}")
        objs = tuple({"apiVersion": api_version, "kind": kind, **item} for item in answer["items"])
        return objs, answer["metadata"]["resourceVersion"]

    async def may(self, verb: str, resource: str, group: str = "", namespace: str = "") -> bool:
        """Ask the API server whether these credentials allow a verb."""
        attributes = {"verb": verb, "resource": resource, "group": group, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self._call("POST", path, body=review, act=f"ask for the right to {verb} {resource}")
        return bool(answer["status"].get("allowed"))

    async def version(self) -> str:
        """Return the API server's version; also the cheapest proof that it answers."""
        answer = await self._call("GET", "/version", act="reach the cluster")
        return str(answer["gitVersion"])

    async def log(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str:
        """Return the end of a container's log, or nothing where there is none."""
        query = [("container", container), ("tailLines", "50"), ("previous", str(previous).lower())]
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        try:
            return str(await self._thread(partial(self._request, "GET", path, query=query, act=f"read log of {pod}")))
        except ClusterError:
            return ""

    def follow(self, path: str, query: list[tuple[str, str]]) -> Iterator[Obj]:
        """Yield watch events as they come; blocks, so it belongs in a thread of its own."""
        response = self._raw("GET", path, query=query, stream=True)
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

    async def _call(self, method: str, path: str, *, act: str, **kwargs: Any) -> Any:
        return json.loads(await self._thread(partial(self._request, method, path, act=act, **kwargs)))

    async def _thread(self, call: Any) -> Any:
        return await anyio.to_thread.run_sync(call, limiter=self._limit, abandon_on_cancel=True)

    def _request(self, method: str, path: str, *, act: str, **kwargs: Any) -> str:
        try:
            response = self._raw(method, path, **kwargs)
            return str(response.data.decode())
        except ApiException as error:
            raise refusal(error, act, self.server) from error
        except (HTTPError, OSError) as error:
            raise Unreachable(
                act, f"no answer from {self.server} ({_cause(error)})", "check the kubeconfig's server and --cluster"
            ) from error

    def _raw(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: Obj | None = None,
        content: str = "application/json",
        stream: bool = False,
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
            _request_timeout=(_CONNECT, None) if stream else (_CONNECT, _READ),
        )


class NotFound(ClusterError):
    """The object is not there."""


def refusal(error: ApiException, act: str, server: str) -> ClusterError:
    """Turn an API server's Status answer into our sentence."""
    try:
        message = json.loads(error.body)["message"]
    except (TypeError, ValueError, KeyError):
        message = f"HTTP {error.status} {error.reason}"
    if error.status == _UNAUTHORIZED:
        return AccessDenied(act, f"{server} refused the credentials", "renew the kubeconfig's token or certificate")
    if error.status == _FORBIDDEN:
        if _RIGHT.search(message):
            return AccessDenied(act, message, "grant this right to the kubeconfig's user")
        return Rejected(act, message, "change the manifest, or the policy that refused it")
    if error.status == _NOT_FOUND:
        return NotFound(act, message)
    if error.status == _TOO_MANY or error.status >= _SERVER_ERROR:
        return Unreachable(act, f"{server} answered {error.status}: {message}", "try again when it is well")
    return Rejected(act, message, "correct the manifest" if error.status != _CONFLICT else "")


def _cause(error: BaseException) -> str:
    """Return what the system said, without the addresses and objects that urllib3 puts around it."""
    text = str(getattr(error, "reason", None) or error)
    return text.rpartition(": ")[2].partition("] ")[2] or text.rpartition(": ")[2] or type(error).__name__


def connect(kubeconfig: str, address: str = "") -> Cluster:
    """Open a cluster from a kubeconfig; `address` is where its API server is reached instead.

    With an address (a tunnel from the machine that runs the CLI), the certificate is still checked
    against the name that the kubeconfig gives.
    """
    act = "read the kubeconfig"
    try:
        data = yaml.safe_load(kubeconfig)
        configuration = Configuration()
        kube_config.load_kube_config_from_dict(data, client_configuration=configuration)
    except (yaml.YAMLError, kube_config.ConfigException, TypeError, AttributeError, KeyError) as error:
        raise ConfigError(
            act, _first_line(error), "give the output of `kubectl config view --raw --minify --flatten`"
        ) from error
    _refuse_exec(data, act)
    server = configuration.host
    if address:
        host = urlsplit(server).hostname or ""
        configuration.tls_server_name = configuration.tls_server_name or host
        configuration.host = f"{urlsplit(server).scheme}://{address}"
        # The hook reads the kubeconfig again at each request, and with it the server that is not to be used.
        configuration.refresh_api_key_hook = None
        server += " through --cluster"
    configuration.retries = 1
    configuration.connection_pool_maxsize = 32
    return Cluster(ApiClient(configuration), server)


def _refuse_exec(data: Mapping[str, Any], act: str) -> None:
    for user in data.get("users") or ():
        if (user.get("user") or {}).get("exec"):
            raise ConfigError(
                act,
                f'user "{user.get("name")}" gets its token from a program, which is not in the pipeline\'s container',
                "pass a kubeconfig that holds a token or a certificate",
            )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


__all__ = ["FIELD_MANAGER", "Cluster", "NotFound", "connect"]
