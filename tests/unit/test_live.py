"""What is known of a namespace, kept current by lists and events that may cross each other."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.cluster.watch import Live
from planera_ci.domain.manifests import Obj


def _pod(name: str, version: int, **fields: Any) -> Obj:
    meta = {"name": name, "namespace": "n", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, **fields}


@pytest.fixture
async def live() -> Live:
    """Return a namespace with one pod."""
    live = Live()
    live.replace("Pod", [_pod("a", 10)])
    return live


def _versions(live: Live) -> dict[str, int]:
    return {obj["metadata"]["name"]: int(obj["metadata"]["resourceVersion"]) for obj in live.of("Pod")}


async def test_newer_event_is_taken(live: Live) -> None:
    """An event brings what is known up to date."""
    live.take({"type": "MODIFIED", "object": _pod("a", 11)})
    live.take({"type": "ADDED", "object": _pod("b", 12)})
    assert _versions(live) == {"a": 11, "b": 12}


async def test_older_event_is_let_go(live: Live) -> None:
    """An event that was overtaken by our own write, or by a new object of that name, changes nothing."""
    live.take({"type": "MODIFIED", "object": _pod("a", 9)})
    live.take({"type": "DELETED", "object": _pod("a", 8)})
    assert _versions(live) == {"a": 10}


async def test_deleted_object_goes(live: Live) -> None:
    """A deletion carries the version that it happened at."""
    live.take({"type": "DELETED", "object": _pod("a", 11)})
    assert _versions(live) == {}


async def test_list_replaces_its_kind_only(live: Live) -> None:
    """A fresh list forgets what is gone, of its own kind."""
    live.take({"type": "ADDED", "object": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}})
    live.replace("Pod", [_pod("b", 20)])
    assert _versions(live) == {"b": 20}
    assert [obj["metadata"]["name"] for obj in live.of("Secret")] == ["s"]


async def test_change_is_signalled_even_if_it_came_first(live: Live) -> None:
    """A change between two looks is not lost."""
    await live.change()
    live.take({"type": "MODIFIED", "object": _pod("a", 11)})
    await live.change()
