"""Something is taken away from under a deployment for a while, or another one comes at the same time: it succeeds."""

from __future__ import annotations

import json

import pytest

from tests.faults.catalogue import Fault, faults
from tests.faults.trial import Trial, Tried, passes

TROUBLES = [fault for fault in faults() if fault.alone]


@pytest.mark.parametrize("fault", TROUBLES, ids=lambda fault: fault.name)
def test_deployment_outlives_it(trial: Tried, fault: Fault) -> None:
    """The registry, the API server, the node with all its pods: each is back before long, and no help is needed."""
    passes(trial(fault))


def test_two_deployments_take_turns(trials: dict[str, Trial]) -> None:
    """Of two that were started together one said for whom it waits, and its revision is the later one."""
    done = trials["two deploys at once"]
    assert done.second is not None
    waited = {"waits for the lock, held by" in each.err: json.loads(each.out) for each in (done.outcome, done.second)}
    assert waited[True]["revision"] == waited[False]["revision"] + 1


def test_each_trouble_is_one_that_passes() -> None:
    """What is taken away comes back; none of them is to be told as a failure."""
    assert {fault.during for fault in TROUBLES} == {"registry", "apiserver", "node", "second"}
    assert not any(fault.reason for fault in TROUBLES)
