"""The API server's timestamps as seconds since 1970, and back: rules count in seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from planera_ci.domain.manifests import Obj


@lru_cache(4096)  # the same few are read at every event of a rollout
def epoch(text: str | None) -> float:
    """Read a timestamp (RFC 3339, as in the Kubernetes API's Time and MicroTime); none is 0."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def stamp(seconds: float) -> str:
    """Show seconds since 1970 as a timestamp with milliseconds, in UTC; 0 is none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds") if seconds else ""


def written(obj: Obj, *, status: bool = True) -> float:
    """Return when the status of an object (or else the rest of it) was last written, as the API server noted it."""
    return max((epoch(entry.get("time")) for entry in _entries(obj) if _is_status(entry) is status), default=0.0)


def _entries(obj: Obj) -> list[dict[str, Any]]:
    return obj["metadata"].get("managedFields") or []


def _is_status(entry: dict[str, Any]) -> bool:
    return entry.get("subresource") == "status"
