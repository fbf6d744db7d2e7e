"""A bar is held by the medians of one run, and is left out where nothing was measured."""

from __future__ import annotations

from typing import Any

from tests.bench.bars import bars
from tests.bench.cases import FAILING, NOTHING
from tests.bench.table import markdown

_ABOUT = {
    "date": "2026-01-01 00:00 UTC",
    "planera-ci": "abc1234",
    "dagger": "v0",
    "buildkit": "v0",
    "helm": "v4+g",
    "kubectl": "v1",
    "kubernetes": "v1",
    "cores": 2,
    "memory": "1 GiB",
    "system": "Linux",
    "command": "x",
}


def _row(case: str, ours: float, work: float = 0.0, **others: float) -> dict[str, Any]:
    mine = {"seconds": ours, "work": work, "deploying": 1.0, "parts": {"smoke": 1.0, "PlaneraCi.deploy": ours}}
    found = {name: {"seconds": value, "awake": value} for name, value in others.items()}
    return {"case": case, "round": 1, "planera-ci": mine, **found}


def test_medians_are_compared() -> None:
    """One slow round of three changes nothing."""
    rows = [_row(NOTHING, ours, floor=floor) for ours, floor in ((6, 4), (5, 4), (90, 4))]
    [bar] = bars(rows)
    assert (bar.measured, bar.met) == (1.5, True)


def test_bar_that_is_not_met_is_said() -> None:
    """A tenth of Helm's time is the most that a verdict may take."""
    rows = [_row(FAILING, 31, helm=300), _row("manifest only", 10, work=7)]
    assert [bar.met for bar in bars(rows)] == [False, False]
    assert "| manifest only | neither build nor push nor kubelet, of our call | 0.30 | 0.20 | **no** |" in markdown(
        {"about": _ABOUT, "rows": rows}
    )
