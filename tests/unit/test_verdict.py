"""What a deployment came to: the class of its failure, its place, and the seconds until it was told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planera_ci import errors
from planera_ci.domain import symptom as sy
from planera_ci.domain import verdict as ve
from planera_ci.domain.manifests import Key
from planera_ci.domain.symptom import Failure
from planera_ci.domain.verdict import Verdict, of_error, of_failure
from planera_ci.errors import PlaneraError, RolloutError

ACT = "apply deployment/backend"


@pytest.mark.cases("verdict")
def test_error_that_ended_a_deployment_has_a_class(case: Any) -> None:
    """Whatever ends a deployment that has begun, a program can tell what kind of thing it was."""
    observed = case.get("observed", "it says so")
    kind: type[PlaneraError] = getattr(errors, case["error"])
    error = (
        RolloutError(ACT, observed, verdict=Verdict(**case["verdict"])) if "verdict" in case else kind(ACT, observed)
    )
    verdict = of_error(error, case["told"])
    found = {**verdict.facts(), "decided": verdict.decided, "told": verdict.told}
    assert {name: found[name] for name in case["gives"]} == case["gives"]


def test_failure_of_a_workload_becomes_its_verdict() -> None:
    """A verdict names the workload and all that its failure knows."""
    failure = Failure(sy.CRASH, "exited twice", "backend-x", "api", 100.0)
    verdict = of_failure(Key("apps/v1", "Deployment", "n", "backend"), failure, 101.25)
    assert verdict == Verdict(sy.CRASH, "deployment/backend", "exited twice", "backend-x", "api", 100.0, 101.25)
    assert verdict.seconds == 1.25


@pytest.mark.parametrize(
    ("decided", "told", "seconds"),
    [(100.0, 101.5, 1.5), (100.0, 100.0, 0.0), (100.0, 99.5, 0.0), (0.0, 100.0, None), (100.0, 100.12345, 0.123)],
    ids=["later", "at-once", "clocks-differ", "nobody-knows-when", "in-milliseconds"],
)
def test_seconds_are_those_from_the_clusters_knowing_to_ours(
    decided: float, told: float, seconds: float | None
) -> None:
    """The time is the cluster's; where it does not say when it knew, there are no seconds."""
    assert Verdict(decided=decided, told=told).seconds == seconds


def test_facts_are_json_with_readable_times() -> None:
    """A report holds every field, its times as timestamps, and an unknown time as an empty one."""
    facts = Verdict("image", "deployment/backend", "not found", "p", "c", 1795417204.0, 1795417204.5).facts()
    assert json.loads(json.dumps(facts)) == {
        "reason": "image",
        "object": "deployment/backend",
        "message": "not found",
        "pod": "p",
        "container": "c",
        "decided": "2026-11-23T07:00:04.000+00:00",
        "told": "2026-11-23T07:00:04.500+00:00",
        "seconds": 0.5,
    }
    assert Verdict(told=1795417204.5).facts()["decided"] == ""


def test_classes_around_a_rollout_are_not_those_of_a_rollout() -> None:
    """A class says by itself whether a workload failed or what is around it."""
    around = {ve.VERIFY, ve.ACCESS, ve.CLUSTER}
    rollout = {sy.IMAGE, sy.CONFIG, sy.CRASH, sy.PROBE, sy.SCHEDULING, sy.QUOTA, sy.ADMISSION, sy.REGISTRY, sy.SLOW}
    assert len(around) == 3
    assert not around & rollout
