"""What a cluster holds, asked of its API: kubectl would take a tenth of a second of a processor for each question."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from kubernetes import client, config

Obj = dict[str, Any]
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def listed(namespace: str, kinds: str, *, names: Collection[str] = (), selector: str = "") -> list[Obj]:
    """Return a namespace's objects of kinds that are named as for `kubectl get`: all, those with labels, or by name."""
    paths = [_path(kind).format(namespace) for kind in kinds.split(",")]
    if names:
        return [_answer(f"{path}/{name}") for path in paths for name in names]
    return [obj for path in paths for obj in _items(_answer(path, selector))]


def kinds() -> dict[str, list[str]]:
    """Return the paths of all that a namespace can hold, as templates, with the names of each: its full one first."""
    return dict(kind for root in ("/api", "/apis") for kind in _of(root))


def _of(root: str) -> Iterator[tuple[str, list[str]]]:
    for group in _answer(root, accept=_DISCOVERY)["items"]:
        name = group["metadata"].get("name", "")
        # In the server's order: the version that it prefers comes first.
        served = [(version["version"], kind) for version in group["versions"] for kind in version["resources"]]
        for version, kind in {kind["resource"]: (version, kind) for version, kind in reversed(served)}.values():
            if kind["scope"] == "Namespaced" and "list" in kind["verbs"]:
                plural = kind["resource"]
                path = "/".join(filter(None, (root, name, version, "namespaces/{}", plural)))
                full = f"{plural}.{name}" if name else plural
                yield path, [full, plural, kind["singularResource"], *kind.get("shortNames", ())]


@cache
def _known() -> dict[str, str]:
    """Return the path for each name; the core's have it where two groups do."""
    return {name: path for path, names in reversed(kinds().items()) for name in names}


def _path(kind: str) -> str:
    if kind not in _known():
        _known.cache_clear()  # it may have been defined since
    assert kind in _known(), f"the cluster knows no {kind} of a namespace"
    return _known()[kind]


def _items(answer: Obj) -> list[Obj]:
    """Return the objects of a list, which alone says what they are."""
    about = {"apiVersion": answer["apiVersion"], "kind": answer["kind"].removesuffix("List")}
    return [about | obj for obj in answer["items"]]


@cache
def _client() -> client.ApiClient:
    configuration = client.Configuration()
    config.load_kube_config(os.environ["KUBECONFIG"], client_configuration=configuration)
    return client.ApiClient(configuration)


def _answer(path: str, selector: str = "", accept: str = "application/json") -> Any:
    answer = _client().call_api(
        path,
        "GET",
        query_params=[("labelSelector", selector)] if selector else [],
        header_params={"Accept": accept},
        auth_settings=["BearerToken"],
        _preload_content=False,
        _return_http_data_only=True,
    )
    return json.loads(answer.data)
