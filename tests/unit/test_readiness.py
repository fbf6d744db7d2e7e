"""From live objects to a verdict: done, failed for a reason, or waiting with a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from planera_ci.domain.manifests import Key
from planera_ci.domain.readiness import State, describe, pods_of, state_of


@pytest.fixture
def state(case: Any, like: Callable[[str], Any]) -> State:
    """Judge a case's object; its two replica sets are there unless it names others."""
    obj = case["object"]
    sets = case.get("sets", [like("replicaset-old"), like("replicaset-new")])
    return state_of(obj, pods_of(obj, case.get("pods", [])), sets)


@pytest.mark.cases("readiness")
def test_state_is_what_the_live_objects_mean(case: Any, state: State) -> None:
    """A workload's state follows from itself, its replica sets and its pods."""
    assert (state.failure.reason if state.failure else "") == case.get("reason", ""), state
    assert state.done is case.get("done", False), state
    assert case["says"] in state.message


@pytest.mark.cases("readiness")
def test_failure_names_where_to_look(case: Any, state: State) -> None:
    """A failure carries the pod and container whose log explains it, and its message is the state's."""
    if state.failure:
        assert state.failure.message == state.message
        assert state.failure.pod == case.get("pod", state.failure.pod)
        assert state.failure.container == case.get("container", state.failure.container)
    else:
        assert not {"pod", "container"} & case.keys(), "only a failure has these"


def test_description_starts_with_the_workloads_name() -> None:
    """A line of progress says whose state it is."""
    assert describe(Key("apps/v1", "Deployment", "n", "backend"), State(False, "0/1 ready")) == "backend 0/1 ready"
