"""A deployment that cannot succeed is told in seconds, with its class and its evidence, and undone; others succeed."""

from __future__ import annotations

import json
from datetime import datetime
from statistics import median
from typing import Any

import pytest

from tests.faults import signs
from tests.faults.catalogue import Fault, faults
from tests.faults.trial import ROUNDED, WAITS, Trial, Tried, passes

LONGEST, MEDIAN, NEAR = 5.0, 2.0, 1.0
"""Seconds from the cluster's knowing to the verdict: at most, in the middle; and how near our own reckoning must be."""

ALL = [fault for fault in faults() if not fault.alone]
"""The others are tried in test_troubles.py."""
HOPELESS = [fault for fault in ALL if fault.reason]
PASSING = [fault for fault in ALL if not fault.reason]


def ids(fault: Fault) -> str:
    return fault.name


@pytest.mark.parametrize("fault", HOPELESS, ids=ids)
def test_hopeless_rollout_is_told_with_its_reason_and_undone(trial: Tried, fault: Fault) -> None:
    """The verdict names the class within seconds, the evidence is whole, the good version is back and never left."""
    done = trial(fault)
    assert done.outcome.code != 0, done.story
    assert f": {fault.reason}: " in done.outcome.message, done.story
    assert fault.says in done.outcome.message, done.story
    assert fault.log in done.outcome.message, done.story
    verdict, report = done.verdict, done.report
    assert verdict["reason"] == fault.reason
    assert report["outcome"] == "rolled back", done.story
    assert report["rollback"]["verified"] is True
    assert "Rolled back to revision" in done.outcome.message
    assert done.evidence is not None
    assert not done.evidence.missing(changed=fault.edited, logged=fault.log)
    assert verdict["seconds"] <= LONGEST, verdict
    assert done.late is not None
    assert -ROUNDED <= done.late <= LONGEST, f"the cluster knew at {done.decided}: {verdict}"
    assert done.sent > 0
    assert done.lost == []
    assert done.before.items() <= done.after.items(), "the good version's pods are the ones from before"


@pytest.mark.parametrize("fault", PASSING, ids=ids)
def test_trouble_that_passes_is_no_failure(trial: Tried, fault: Fault) -> None:
    """The deployment waits it out and succeeds; what ran before answers until the new version does."""
    passes(trial(fault))


def test_two_deployments_take_turns(trials: dict[str, Trial]) -> None:
    """Of two that were started together one said for whom it waits, and its revision is the later one."""
    done = trials["two deploys at once"]
    assert done.second is not None
    waited = {WAITS in each.err: json.loads(each.out) for each in (done.outcome, done.second)}
    assert waited[True]["revision"] == waited[False]["revision"] + 1


@pytest.mark.parametrize("name", ["crash at once", "missing config key", "missing secret"])
def test_moment_of_decision_is_the_clusters(trials: dict[str, Trial], name: str) -> None:
    """The time from which the verdict's seconds count stands in the evidence, in its objects or its events."""
    done = trials[name]
    assert done.evidence is not None
    told = moment(done.verdict["decided"])
    kept = [*done.evidence.objects(), *done.evidence.events()]
    own = [found for one in kept if (found := signs.decided(done.fault.sign, [one], done.fault.grace))]
    assert any(abs((told - each).total_seconds()) <= NEAR for each in own), (told, own)


def test_verdict_comes_within_two_seconds_in_the_middle(trials: dict[str, Trial]) -> None:
    """Over all hopeless rollouts the median from the deciding state to the verdict is at most two seconds."""
    assert set(trials) == {fault.name for fault in ALL}
    hopeless = [trials[fault.name] for fault in HOPELESS]
    for seconds in ([done.verdict["seconds"] for done in hopeless], [done.late or 0.0 for done in hopeless]):
        assert median(seconds) <= MEDIAN, seconds


def moment(text: Any) -> datetime:
    return datetime.fromisoformat(text)
