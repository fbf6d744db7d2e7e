"""What the figures of the benchmark are held against: ratios of medians of one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.cases import CHANGES, FAILING, FIRST, NOTHING

Facts = dict[str, Any]
Figure = tuple[str, str]
"""Whose figure, and which."""

OURS: Figure = ("planera-ci", "seconds")
EMPTY: Figure = ("floor", "seconds")
AWAKE: Figure = ("shell", "awake")
HELM: Figure = ("helm", "seconds")
_ONE_LINE = tuple(case.name for case in CHANGES if case.name.startswith("one line"))
_BUILT = (FIRST, *(case.name for case in CHANGES if case.name != NOTHING))


@dataclass(frozen=True)
class Bar:
    """One ratio: what it is of, what was measured, and the most that is allowed."""

    case: str
    what: str
    measured: float
    most: float

    @property
    def met(self) -> bool:
        return self.measured <= self.most


def bars(rows: list[Facts]) -> list[Bar]:
    """Return every bar that there are figures for."""
    wanted = [
        (NOTHING, "our call to an empty one", EMPTY, 1.5),
        *((case, "our call to the script, awake", AWAKE, 1.0) for case in _ONE_LINE),
        (FAILING, "our call to Helm's", HELM, 0.1),
    ]
    found = []
    for case, what, other, most in wanted:
        mine, theirs = middle(rows, case, OURS), middle(rows, case, other)
        if mine is not None and theirs:
            found.append(Bar(case, what, mine / theirs, most))
    for case in _BUILT:
        parts = [1 - row["planera-ci"]["work"] / row["planera-ci"]["seconds"] for row in rows if row["case"] == case]
        if parts:
            found.append(Bar(case, "neither build nor push nor kubelet, of our call", median(parts), 0.2))
    return found


def middle(rows: Iterable[Facts], case: str, figure: Figure) -> float | None:
    """Return the median of a figure, or nothing where it was not measured."""
    who, what = figure
    values = [row[who][what] for row in rows if row["case"] == case and who in row]
    return median(values) if values else None
