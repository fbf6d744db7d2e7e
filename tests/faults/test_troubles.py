"""Something is taken away from under a deployment for a while: it succeeds."""

from __future__ import annotations

import pytest

from tests.e2e.thrift import Thrift
from tests.faults.catalogue import Fault, faults
from tests.faults.trial import Tried, passes

THRIFT = Thrift(looks=2)
"""A node that has restarted waits with each first look for up to the seconds between two."""
TROUBLES = [fault for fault in faults() if fault.alone]


@pytest.mark.parametrize("fault", TROUBLES, ids=lambda fault: fault.name)
def test_deployment_outlives_it(trial: Tried, fault: Fault) -> None:
    """The registry, the API server, the node with all its pods: each is back before long, and no help is needed."""
    passes(trial(fault))


def test_each_trouble_is_one_that_passes() -> None:
    """What is taken away comes back; none of them is to be told as a failure."""
    assert {fault.during for fault in TROUBLES} == {"registry", "apiserver", "node"}
    assert not any(fault.reason for fault in TROUBLES)
