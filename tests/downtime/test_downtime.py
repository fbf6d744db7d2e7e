"""Deployments and rollbacks that no user notices, at 200 requests a second on two replicas of each component."""

from __future__ import annotations

import pytest

from tests.downtime.bench import counted
from tests.downtime.load import RATE, Figures
from tests.downtime.shape import Production, second_node

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("phase", ["deployment", "rollback"])
def test_nobody_notices(running: Production, phase: str) -> None:
    """While both components change their version no request fails, and no page is of two."""
    found = _unnoticed(running, phase)
    _of_two_versions(found)


def test_nobody_notices_a_drain(running: Production) -> None:
    """While a node is emptied its pods are made elsewhere first or were two: no request fails."""
    with second_node():
        running.spread()
        before = running.nodes()
        assert len({*before["backend"]}) == len({*before["frontend"]}) == 2, f"not spread: {before}"
        _unnoticed(running, "drain")
        after = running.nodes()
    assert {*after["backend"], *after["frontend"]} == {*before["postgres"]}, f"left where it was: {after}"


def _unnoticed(running: Production, phase: str) -> Figures:
    """Count what users lose in a phase; it must be nothing, and the load must have been there."""
    found = counted(running, phase)
    assert found["failed"] == []
    assert found["mixed"] == []
    assert found["requests"] > 0.95 * RATE * found["seconds"], "the load was held"
    return found


def _of_two_versions(found: Figures) -> None:
    """Check that the load saw the change: each component answered as two versions, and pages of both were loaded."""
    for kind in ("api", "frontend", "page"):
        assert len([who for who in found["seen"] if who.startswith(f"{kind} ")]) == 2, found["seen"]
