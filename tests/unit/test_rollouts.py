"""Verdicts along a rollout, moment by moment: troubles that pass are let pass, those that stay are told in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from planera_ci.domain.moments import epoch
from planera_ci.domain.readiness import state_of
from planera_ci.domain.scene import Scene
from planera_ci.domain.symptom import NO_END, remembered


@pytest.mark.cases("rollouts")
def test_rollout_is_judged_in_time_and_not_before(case: Any, like: Callable[[str], Any]) -> None:
    """Judged at each moment, with what was seen before in mind, a rollout has these verdicts."""
    firsts = Scene().firsts
    for step in case["steps"]:
        sets = step.get("sets", [like("replicaset-old"), like("replicaset-new")])
        now = epoch(step["at"])
        scene = Scene(tuple(step["pods"]), tuple(sets), tuple(step.get("events", ())), firsts, now)
        state = state_of(step.get("object", like("rolling")), scene)
        verdict = "done" if state.done else state.failure.reason if state.failure else "waiting"
        assert verdict == step["verdict"], (step["at"], state)
        assert step.get("says", "") in state.message
        if "due" in step:
            assert state.due == (NO_END if step["due"] == "never" else epoch(step["due"])), step["at"]
        firsts = remembered(firsts, state.symptoms, now)
