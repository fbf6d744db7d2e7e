"""What is known of a namespace, kept current by lists and events that may cross each other."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from planera_ci.cluster.watch import Live, slim
from planera_ci.domain.manifests import Obj
from planera_ci.domain.moments import epoch, written


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


def _managed() -> Obj:
    """Return a pod whose managed fields are most of it, as they are of real ones."""
    fields = {"f:status": {f"f:field-{n}": {".": {}, "f:type": {}} for n in range(50)}}
    kubelet = {"manager": "kubelet", "operation": "Update", "subresource": "status", "fieldsType": "FieldsV1"}
    pod = _pod("a", 11, spec={"nodeName": "node-1"}, status={"phase": "Running"})
    times = [{**kubelet, "time": "2026-11-23T07:00:04Z", "fieldsV1": fields}]
    return {**pod, "metadata": {**pod["metadata"], "managedFields": times}}


def test_slim_object_keeps_all_that_rules_read() -> None:
    """The times of an object's writes stay, what was written in each does not, and the rest is as it was."""
    pod = _managed()
    before = copy.deepcopy(pod)
    thin = slim(pod)
    assert pod == before, "the object given is left as it is"
    assert written(thin) == written(pod) == epoch("2026-11-23T07:00:04Z")
    assert "fieldsV1" not in json.dumps(thin)
    assert len(json.dumps(thin)) < len(json.dumps(pod)) / 2
    meta = {name: value for name, value in pod["metadata"].items() if name != "managedFields"}
    assert {**thin, "metadata": {**thin["metadata"], "managedFields": None}} == {
        **pod,
        "metadata": {**meta, "managedFields": None},
    }


@pytest.mark.parametrize(
    "fields", [{}, {"managedFields": []}, {"managedFields": None}], ids=["absent", "empty", "null"]
)
def test_object_that_is_slim_already_stays_the_same(fields: Any) -> None:
    """What has nothing to leave out is not copied."""
    pod = _pod("a", 1)
    pod["metadata"] |= fields
    assert slim(pod) is pod


async def test_what_is_known_is_kept_slim(live: Live) -> None:
    """Whether an object came by a list or by an event, a run that watches hundreds of pods keeps little of each."""
    live.replace("Pod", [_managed()])
    assert "fieldsV1" not in json.dumps(live.of("Pod"))
    live.take({"type": "MODIFIED", "object": {**_managed(), "metadata": {**_managed()["metadata"], "name": "b"}}})
    assert _versions(live) == {"a": 11, "b": 11}
    assert "fieldsV1" not in json.dumps(live.of("Pod"))


async def test_answer_to_our_own_write_outlives_an_older_list(live: Live) -> None:
    """A list that was made before our write does not undo what the write's answer said."""
    live.take({"type": "MODIFIED", "object": _pod("a", 15)})
    live.replace("Pod", [_pod("a", 12)])
    assert _versions(live) == {"a": 15}
