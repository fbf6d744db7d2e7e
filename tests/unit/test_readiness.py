"""From live objects to a verdict: done, failed for a reason, or waiting with a message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from planera_ci.domain.manifests import Key
from planera_ci.domain.moments import epoch
from planera_ci.domain.readiness import State, describe, state_of
from planera_ci.domain.scene import Scene
from planera_ci.domain.symptom import NO_END, remembered

SOON = "2026-11-23T07:00:30Z"
"""When a case is judged unless it says: half a minute after its rollout began, before any grace has ended."""


def _judged(obj: Any, scene: Scene, moments: list[str]) -> State:
    """Judge at these moments one after the other, remembering first signs, as a run does."""
    state = State(False, "")
    for now in map(epoch, moments):
        scene = replace(scene, now=now)
        state = state_of(obj, scene)
        scene = replace(scene, firsts=remembered(scene.firsts, state.symptoms, now))
    return state


@pytest.fixture
def state(case: Any, like: Callable[[str], Any]) -> State:
    """Judge a case's object; its two replica sets are there unless it names others.

    `before` is what was there instead at a moment before; `seen`, when all was first seen as it is `now`.
    """
    sets = tuple(case.get("sets", [like("replicaset-old"), like("replicaset-new")]))
    scene = Scene(tuple(case.get("pods", ())), sets, tuple(case.get("events", ())))
    moments = [case["seen"]] if "seen" in case else []
    if "before" in case:
        at = epoch(case["before"]["now"])
        early = replace(scene, now=at, pods=tuple(case["before"]["pods"]))
        scene = replace(scene, firsts=remembered({}, state_of(case["object"], early).symptoms, at))
    return _judged(case["object"], scene, [*moments, case.get("now", SOON)])


@pytest.mark.cases("readiness")
def test_state_is_what_the_live_objects_mean(case: Any, state: State) -> None:
    """A workload's state follows from itself and the replica sets, pods and events around it."""
    assert (state.failure.reason if state.failure else "") == case.get("reason", ""), state
    assert state.done is case.get("done", False), state
    assert case["says"] in state.message
    assert "omits" not in case or case["omits"] not in state.message


@pytest.mark.cases("readiness")
def test_failure_names_where_to_look(case: Any, state: State) -> None:
    """A failure carries the pod and container whose log explains it, and its message is the state's."""
    if state.failure:
        assert state.failure.message == state.message
        assert state.failure.pod == case.get("pod", state.failure.pod)
        assert state.failure.container == case.get("container", state.failure.container)
        if "decided" in case:
            assert state.failure.decided == epoch(case["decided"])
    else:
        assert not {"pod", "container", "decided"} & case.keys(), "only a failure has these"


@pytest.mark.cases("readiness")
def test_state_says_what_comes_next(case: Any, state: State) -> None:
    """A waiting state says when a grace ends and which pod is in the way; one that is done, since when it is."""
    assert state.blocked == case.get("blocked", "")
    if "due" in case:
        assert state.due == (NO_END if case["due"] == "never" else epoch(case["due"]))
    if "at" in case:
        assert state.at == epoch(case["at"])


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ('failed calling webhook "policy.example.com": EOF', True),
        ("Internal error occurred: no leader", True),
        ("net/http: request canceled (Client.Timeout exceeded while awaiting headers)", True),
        ("the request timed out", True),
        ('error looking up service account n/default: serviceaccount "default" not found', True),
        ("dial tcp 10.96.3.4:443: connect: connection refused", True),
        ("status unknown for quota: seats, resources: pods", True),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', False),
        ('admission webhook "policy.example.com" denied the request: no owner', False),
        ('pods "x" is forbidden: exceeded quota: seats', False),
    ],
)
def test_refusal_that_may_pass_is_waited_for(like: Callable[[str], Any], message: str, *, passes: bool) -> None:
    """What is being made or restarted right now refuses with these words, and a rule with others."""
    [refused] = [{**condition, "message": message} for condition in like("refused")["status"]["conditions"]]
    newest = {**like("refused"), "status": {"conditions": [refused]}}
    state = state_of(like("rolling"), Scene(replica_sets=(newest,), now=epoch(SOON)))
    assert (state.failure is None) is passes
    assert state.due == (epoch("2026-11-23T07:01:02Z") if passes else NO_END)


def test_description_starts_with_the_workloads_name() -> None:
    """A line of progress says whose state it is."""
    assert describe(Key("apps/v1", "Deployment", "n", "backend"), State(False, "0/1 ready")) == "backend 0/1 ready"
