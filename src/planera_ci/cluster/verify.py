"""Prove that what runs is what was published: digests, endpoints, and answers through the Ingress."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import anyio
import anyio.to_thread
import httpx

from planera_ci.cluster.client import Cluster
from planera_ci.domain.images import ImageRef
from planera_ci.domain.manifests import Key, Obj, containers, of_kind
from planera_ci.domain.pods import pods_of
from planera_ci.domain.routes import Route
from planera_ci.errors import VerifyError
from planera_ci.tasks import each

_WITHIN, _BETWEEN, _REQUEST = 60.0, 0.3, 10.0


@dataclass(frozen=True)
class Answer:
    """What a route answered, and what a person should know about how."""

    route: Route
    status: int
    note: str = ""


async def running(cluster: Cluster, objs: Iterable[Obj], namespace: str, act: str) -> dict[str, str]:
    """Return workload to digest for every workload whose running image ids equal the manifests'."""
    pods, _ = await cluster.listing("v1", "Pod", namespace)
    found: dict[str, str] = {}
    for obj in of_kind(objs, "Deployment", "StatefulSet"):
        key = Key.of(obj)
        wanted = {c["name"]: ImageRef.parse(c["image"]).digest for c in containers(obj)}
        mine = [pod for pod in pods_of(obj, pods) if (pod.get("status") or {}).get("phase") != "Failed"]
        if not mine:
            raise VerifyError(act, f"{key} runs no pod", "look at its events")
        for pod in mine:
            _same_digests(key, pod, wanted, act)
        found[key.name] = next(iter(wanted.values()))
    return found


def _same_digests(key: Key, pod: Obj, wanted: Mapping[str, str], act: str) -> None:
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        digest = str(status.get("imageID", "")).rpartition("@")[2]
        if digest != wanted.get(status["name"], digest):
            wants = wanted[status["name"]]
            raise VerifyError(
                act,
                f"{key}: pod {pod['metadata']['name']} runs {digest or 'nothing yet'}, published was {wants}",
                "deploy again",
            )


async def endpoints(cluster: Cluster, objs: Iterable[Obj], namespace: str, act: str) -> int:
    """Return how many services have a ready endpoint; each one that selects pods must."""
    services = [obj for obj in of_kind(objs, "Service") if obj["spec"].get("selector")]
    with anyio.move_on_after(_WITHIN):
        while True:
            slices, _ = await cluster.listing("discovery.k8s.io/v1", "EndpointSlice", namespace)
            served = served_names(slices)
            bare = [name for service in services if (name := service["metadata"]["name"]) not in served]
            if not bare:
                return len(services)
            await anyio.sleep(_BETWEEN)
    raise VerifyError(
        act,
        f"service/{bare[0]} has no ready endpoint after {_WITHIN:.0f} s",
        "compare its selector with the pods' labels",
    )


def served_names(slices: Iterable[Obj]) -> set[str]:
    """Return the names of the services that have a ready endpoint."""
    ready = (s for s in slices if any((end.get("conditions") or {}).get("ready") for end in s.get("endpoints") or ()))
    return {(each["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "") for each in ready}


async def answers(cluster: Cluster, routes: Iterable[Route], namespace: str, act: str) -> tuple[Answer, ...]:
    """Ask every route as a user would and return the answers; all must be the wanted ones."""
    results = await each(routes, lambda route: _answer(cluster, route, namespace, act))
    return tuple(results.values())


async def _answer(cluster: Cluster, route: Route, namespace: str, act: str) -> Answer:
    seen = "no answer"
    with anyio.move_on_after(_WITHIN):
        while True:
            try:
                answer = await _ask(cluster, route, namespace)
                if route.accepts(answer.status):
                    return answer
                seen = f"answered {answer.status}"
            except httpx.HTTPError as error:
                seen = f"gave no answer ({str(error) or type(error).__name__})"
            await anyio.sleep(_BETWEEN)
    want = f" instead of {route.status}" if route.status else ""
    raise VerifyError(
        act, f"{route.url} {seen}{want} for {_WITHIN:.0f} s", "look at the Ingress and its controller's log"
    )


async def _ask(cluster: Cluster, route: Route, namespace: str) -> Answer:
    host, note = await address_of(cluster, route.host, namespace)
    if not host:
        raise httpx.ConnectError(f"{route.host} does not resolve, and no Ingress reports an address")
    url = f"{'https' if route.tls else 'http'}://{host}{route.path}"
    try:
        return Answer(route, await _status(url, route.host, verify=True), note)
    except httpx.ConnectError as error:
        if "certificate" not in str(error).lower():
            raise
        untrusted = "; ".join(filter(None, [note, "its certificate is not trusted here"]))
        return Answer(route, await _status(url, route.host, verify=False), untrusted)


async def address_of(cluster: Cluster, host: str, namespace: str) -> tuple[str, str]:
    """Return the name where it resolves, else, with a note, the address that the Ingress reports, if one does."""
    if await anyio.to_thread.run_sync(_resolves, host, abandon_on_cancel=True):
        return host, ""
    address = await _ingress_address(cluster, namespace)
    return address, f"at {address}: the name does not resolve here" if address else ""


async def _status(url: str, host: str, *, verify: bool) -> int:
    context: ssl.SSLContext | bool = _authorities() if verify else False
    async with httpx.AsyncClient(verify=context, timeout=_REQUEST, trust_env=False) as client:
        answer = await client.get(url, headers={"Host": host}, extensions={"sni_hostname": host})
        return answer.status_code


@cache
def _authorities() -> ssl.SSLContext:
    """Load the authorities once: it takes long enough to keep everything else waiting."""
    return ssl.create_default_context()


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False


async def _ingress_address(cluster: Cluster, namespace: str) -> str:
    ingresses, _ = await cluster.listing("networking.k8s.io/v1", "Ingress", namespace)
    for ingress in ingresses:
        for entry in ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            return str(entry.get("ip") or entry.get("hostname") or "")
    return ""
