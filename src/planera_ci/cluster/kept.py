"""What the pipeline keeps of an application in its namespace: numbered ConfigMaps, their content compressed."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planera_ci.cluster.client import Cluster
from planera_ci.domain.manifests import Key, Obj

_KIND = "planera-ci/kind"


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

    async def listed(self, kind: str) -> tuple[Obj, ...]:
        """Return all ConfigMaps of a kind."""
        selector = ",".join(f"{name}={value}" for name, value in self._labelled(kind).items())
        found, _ = await self.cluster.listing("v1", "ConfigMap", self.namespace, selector=selector)
        return found

    async def content(self, key: Key, name: str) -> Any:
        """Return what was packed under a name; raise ValueError where it is not there or damaged."""
        live = await self.cluster.get(key)
        text = ((live or {}).get("binaryData") or {}).get(name, "")
        try:
            return json.loads(gzip.decompress(base64.b64decode(text)))
        except (EOFError, OSError) as error:
            raise ValueError(str(error)) from error

    def _labelled(self, kind: str) -> dict[str, str]:
        return {**self.labels, _KIND: kind}


def compressed(value: Any) -> bytes:
    """Return a value as compressed JSON, equal for equal values."""
    return gzip.compress(json.dumps(value).encode(), mtime=0)


def encoded(data: bytes) -> str:
    """Return bytes as the API server takes them."""
    return base64.b64encode(data).decode()
