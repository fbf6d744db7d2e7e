"""How an API server names what it keeps: the path of a kind, a namespace and a name (Kubernetes API, discovery)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio

from planera_ci.domain.manifests import Key
from planera_ci.errors import NotFound, Rejected

Ask = Callable[[str, str], Awaitable[Any]]
"""Reads a path; the second word says in an error what was tried."""


@dataclass(frozen=True)
class Resource:
    """How the API server names a kind in its paths."""

    plural: str
    namespaced: bool


@dataclass
class Kinds:
    """The kinds that an API server knows, asked for once for each version."""

    _known: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _asking: dict[str, anyio.Lock] = field(default_factory=dict)
    """Of many objects that are new at once the first one asks, and the others wait for what it learns."""

    async def path(self, key: Key, ask: Ask) -> str:
        """Return an object's path on the API server; with no name, its collection's."""
        resource = await self._resource(key, ask)
        middle = f"/namespaces/{key.namespace}" if resource.namespaced and key.namespace else ""
        return f"{_root(key.api_version)}{middle}/{resource.plural}" + (f"/{key.name}" if key.name else "")

    async def _resource(self, key: Key, ask: Ask) -> Resource:
        version = key.api_version
        if version not in self._known:
            async with self._asking.setdefault(version, anyio.Lock()):
                if version not in self._known:
                    self._known[version] = await _asked(version, ask)
        try:
            return self._known[version][key.kind]
        except KeyError:
            raise Rejected(
                f"read {key}",
                f"the cluster knows no {key.kind} in {version}",
                "correct apiVersion and kind, or install what defines them",
            ) from None


async def _asked(version: str, ask: Ask) -> dict[str, Resource]:
    try:
        answer = await ask(_root(version), f"read the kinds of {version}")
    except NotFound:
        return {}
    return {
        entry["kind"]: Resource(entry["name"], entry["namespaced"])
        for entry in answer["resources"]
        if "/" not in entry["name"]
    }


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
