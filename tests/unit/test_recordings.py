"""Verdicts along real watch events: none too early, none too late."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from planera_ci.domain.manifests import Key, Obj, of_kind
from planera_ci.domain.moments import epoch
from planera_ci.domain.readiness import state_of
from planera_ci.domain.scene import Scene
from planera_ci.domain.symptom import remembered

FOLDER = Path(__file__).parent / "data" / "recordings"
_TIMES = re.compile(r'"(?!deletionTimestamp")\w+":"(\d{4}-\d\d-\d\dT[\d:]+Z)"')


@pytest.mark.cases("recordings")
def test_verdicts_follow_the_events_of_a_cluster(case: Any) -> None:
    """Judged after every event, a rollout passes through these verdicts and no others."""
    live: dict[Key, Obj] = {}
    scene = Scene()
    verdicts = []
    for line in (FOLDER / case["file"]).read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        key = Key.of(event["object"])
        if event["type"] == "DELETED":
            del live[key]
        else:
            live[key] = event["object"]
        pods, sets = of_kind(live.values(), "Pod"), of_kind(live.values(), "ReplicaSet")
        now = max(scene.now, *map(epoch, _TIMES.findall(line)))
        scene = Scene(pods, sets, firsts=scene.firsts, now=now)
        for deployment in of_kind(live.values(), "Deployment"):
            state = state_of(deployment, scene)
            scene = Scene(pods, sets, firsts=remembered(scene.firsts, state.symptoms, now), now=now)
            verdicts.append("done" if state.done else state.failure.reason if state.failure else "waiting")
    assert [verdict for verdict, _ in itertools.groupby(verdicts)] == case["verdicts"]
