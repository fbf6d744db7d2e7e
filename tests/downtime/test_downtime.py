"""Deployments and rollbacks that no user notices, at 200 requests a second on two replicas of each component."""

from __future__ import annotations

import pytest

from tests.downtime.bench import measured
from tests.downtime.load import RATE, Figures
from tests.downtime.shape import Production

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("phase", ["deployment", "rollback"])
def test_nobody_notices(running: Production, phase: str) -> None:
    """While both components change their version no request fails, and no page is of two."""
    found = measured(running, phase)
    assert found["failed"] == []
    assert found["mixed"] == []
    assert found["requests"] > 0.95 * RATE * found["seconds"], "the load was held"
    _of_two_versions(found)


def _of_two_versions(found: Figures) -> None:
    """Check that the load saw the change: each component answered as two versions, and pages of both were loaded."""
    for kind in ("api", "frontend", "page"):
        assert len([who for who in found["seen"] if who.startswith(f"{kind} ")]) == 2, found["seen"]
