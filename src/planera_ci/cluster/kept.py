"""What the pipeline keeps of an application in its namespace: numbered ConfigMaps, their content compressed.

A ConfigMap holds 1 MiB (Kubernetes API). What may be more is kept in several: the first one says how many.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from planera_ci.cluster.client import Cluster
from planera_ci.domain.manifests import Key, Obj
from planera_ci.tasks import each

_KIND = "planera-ci/kind"
_PARTS, _MOST_BYTES = "parts", 400_000
"""Of one part; a first one has room for what is kept beside it."""


@dataclass(frozen=True)
class Keeper:
    """What is kept of one application in one namespace."""

    cluster: Cluster
    namespace: str
    app: str
    labels: Mapping[str, str]

    def numbered(self, kind: str, revision: int) -> Key:
        """Return where the ConfigMap of a kind and a revision is."""
        return Key("v1", "ConfigMap", self.namespace, f"{self.app}-{kind}-{revision}")

    def object(self, key: Key, kind: str) -> Obj:
        """Return an object that is kept, without its content."""
        meta = {"name": key.name, "namespace": key.namespace, "labels": self._labelled(kind)}
        return {"apiVersion": key.api_version, "kind": key.kind, "metadata": meta}

    def part(self, key: Key, number: int) -> Key:
        """Return where a part of what is kept under a key is; the first is there itself."""
        return replace(key, name=f"{key.name}-part-{number}") if number > 1 else key

    async def listed(self, kind: str) -> tuple[Obj, ...]:
        """Return all ConfigMaps of a kind."""
        selector = ",".join(f"{name}={value}" for name, value in self._labelled(kind).items())
        found, _ = await self.cluster.listing("v1", "ConfigMap", self.namespace, selector=selector)
        return found

    async def content(self, key: Key, name: str) -> Any:
        """Return what was packed under a name; raise ValueError where it is not there or damaged."""
        first = await self.cluster.get(key)
        others = await each((self.part(key, number) for number in range(2, parts_of(first) + 1)), self.cluster.get)
        texts = [((live or {}).get("binaryData") or {}).get(name, "") for live in (first, *others.values())]
        try:
            return json.loads(gzip.decompress(b"".join(map(base64.b64decode, texts))))
        except (EOFError, OSError) as error:
            raise ValueError(str(error)) from error

    def _labelled(self, kind: str) -> dict[str, str]:
        return {**self.labels, _KIND: kind}


def parts_of(live: Obj | None) -> int:
    """Return how many parts what is kept has; one where nothing says more."""
    return int(((live or {}).get("data") or {}).get(_PARTS, 1))


def counted(parts: int) -> dict[str, str]:
    """Return what says beside a first part how many there are."""
    return {_PARTS: str(parts)} if parts > 1 else {}


def divided(data: bytes, most: int = _MOST_BYTES) -> list[bytes]:
    """Return bytes in parts, each small enough for a ConfigMap; of nothing, one empty part."""
    return [data[begin : begin + most] for begin in range(0, max(len(data), 1), most)]


def compressed(value: Any) -> bytes:
    """Return a value as compressed JSON, equal for equal values."""
    return gzip.compress(json.dumps(value).encode(), mtime=0)


def encoded(data: bytes) -> str:
    """Return bytes as the API server takes them."""
    return base64.b64encode(data).decode()
