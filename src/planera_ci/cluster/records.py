"""Where the record of the last deployment is kept: a ConfigMap in the environment's namespace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from planera_ci.cluster.client import Cluster
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.record import Record, read


async def load(cluster: Cluster, namespace: str, app: str) -> Record | None:
    """Return the record of the last deployment, or nothing before the first."""
    key = _key(namespace, app)
    live = await cluster.get(key)
    text = ((live or {}).get("data") or {}).get("record", "")
    return read(text, f"{namespace}/{key.name}") if text else None


async def save(cluster: Cluster, namespace: str, app: str, record: Record, labels: Mapping[str, str]) -> Record:
    """Write the record of a deployment that has just been verified."""
    stamped = record.model_copy(update={"deployed_at": datetime.now(UTC).isoformat(timespec="seconds")})
    key = _key(namespace, app)
    obj: Obj = {
        "apiVersion": key.api_version,
        "kind": key.kind,
        "metadata": {"name": key.name, "namespace": namespace, "labels": dict(labels)},
        "data": {"record": stamped.model_dump_json(indent=2)},
    }
    await cluster.apply(obj)
    return stamped


def _key(namespace: str, app: str) -> Key:
    return Key("v1", "ConfigMap", namespace, f"{app}-release")
