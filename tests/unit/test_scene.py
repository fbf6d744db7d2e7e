"""A workload finds what is its own, and finding it does not take longer for what else is there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from planera_ci.domain.manifests import Obj
from planera_ci.domain.pods import pods_of
from planera_ci.domain.readiness import state_of
from planera_ci.domain.scene import Scene

_FEW, _MANY = 20, 200
_EVENTS = 4


def _named(obj: Obj, number: int, **meta: Any) -> Obj:
    labels = {"app": f"w{number}", "tier": "web", "pod-template-hash": f"h{number}"}
    return {**obj, "metadata": {**obj["metadata"], "name": f"w{number}", "uid": f"u{number}", "labels": labels, **meta}}


def _crowd(like: Callable[[str], Obj], count: int) -> tuple[tuple[Obj, ...], Scene]:
    """Return deployments of one pod each, in the middle of their rollout, and all that is around them."""
    rolling, pod, newest, event = (like(name) for name in ("rolling", "pod-new", "replicaset-new", "event"))
    selected = {**rolling["spec"], "template": newest["spec"]["template"]}
    workloads = tuple(
        _named({**rolling, "spec": {**selected, "selector": {"matchLabels": {"tier": "web", "app": f"w{n}"}}}}, n)
        for n in range(count)
    )
    sets = tuple(_named(newest, n, ownerReferences=[{"uid": f"u{n}"}]) for n in range(count))
    pods = tuple(_named(pod, n, uid=f"p{n}") for n in range(count))
    about = [{"kind": "Pod", "name": f"w{n}", "uid": f"p{n}"} for n in range(count) for _ in range(_EVENTS)]
    return workloads, Scene(pods, sets, tuple({**event, "involvedObject": who} for who in about))


def _work(like: Callable[[str], Obj], count: int) -> int:
    """Return how many functions are called to judge every workload once: the same on every machine."""
    workloads, scene = _crowd(like, count)
    calls = 0

    def counted(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        states = [state_of(obj, scene) for obj in workloads]
    finally:
        sys.setprofile(before)
    assert all("runs but is not ready" in state.symptoms[0].message for state in states), states[0]
    return calls


def test_ten_times_the_workloads_are_ten_times_the_work(like: Callable[[str], Obj]) -> None:
    """Judging all of them at a moment grows with what is there, not with its square."""
    assert _work(like, _MANY) < 1.2 * (_MANY / _FEW) * _work(like, _FEW)


def test_pods_are_those_that_the_selector_means(like: Callable[[str], Obj]) -> None:
    """Sorted by label or not, the same pods are found, in the same order."""
    _, scene = _crowd(like, _FEW)
    gone = _named(scene.pods[3], 3, uid="gone", deletionTimestamp="2026-11-23T07:00:09Z")
    scene = Scene((*scene.pods, gone))
    for selector in (
        {},
        {"matchLabels": {"app": "w3"}},
        {"matchLabels": {"tier": "web"}},
        {"matchLabels": {"tier": "web", "app": "w3"}},
        {"matchLabels": {"tier": "web", "app": "none"}},
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["w1", "w3"]}]},
        {"matchLabels": {"tier": "web"}, "matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["w3"]}]},
    ):
        obj = {"spec": {"selector": selector}}
        for leaving in (False, True):
            assert scene.pods_of(obj, leaving=leaving) == pods_of(obj, scene.pods, leaving=leaving)
