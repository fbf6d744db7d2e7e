"""What a deployment needs is taken away from under it for a while: it waits, and succeeds."""

from __future__ import annotations

import pytest

from tests.faults.catalogue import Fault, faults
from tests.faults.trial import Tried, passes

TAKEN = [fault for fault in faults() if fault.takes_away]


@pytest.mark.parametrize("fault", TAKEN, ids=lambda fault: fault.name)
def test_deployment_outlives_what_is_taken_away(trial: Tried, fault: Fault) -> None:
    """The registry, the API server, the node with all its pods: each is back before long, and no help is needed."""
    passes(trial(fault))


def test_each_trouble_is_one_that_passes() -> None:
    """What is taken away comes back; none of them is to be told as a failure."""
    assert {fault.during for fault in TAKEN} == {"registry", "apiserver", "node"}
    assert not any(fault.reason for fault in TAKEN)
