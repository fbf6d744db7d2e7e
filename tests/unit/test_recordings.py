"""Verdicts along real watch events: none too early, none too late."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from planera_ci.domain.manifests import Key, Obj, of_kind
from planera_ci.domain.readiness import pods_of, state_of

FOLDER = Path(__file__).parent / "data" / "recordings"


@pytest.mark.cases("recordings")
def test_verdicts_follow_the_events_of_a_cluster(case: Any) -> None:
    """Judged after every event, a rollout passes through these verdicts and no others."""
    live: dict[Key, Obj] = {}
    verdicts = []
    for line in (FOLDER / case["file"]).read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        key = Key.of(event["object"])
        if event["type"] == "DELETED":
            del live[key]
        else:
            live[key] = event["object"]
        for deployment in of_kind(live.values(), "Deployment"):
            pods = pods_of(deployment, of_kind(live.values(), "Pod"))
            state = state_of(deployment, pods, of_kind(live.values(), "ReplicaSet"))
            verdicts.append("done" if state.done else state.failure.reason if state.failure else "waiting")
    assert [verdict for verdict, _ in itertools.groupby(verdicts)] == case["verdicts"]
