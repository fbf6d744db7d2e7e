"""Figures of several sizes as a table, and whether they grow worse than the sizes do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median
from typing import Any

from tests.measured import table

Facts = dict[str, Any]
Sizes = dict[int, float]
"""The figure of each size."""

STEEPER = 2.0
"""How many times steeper a figure may grow from a size to the next than it did before.

A figure that grows by the square is ten times steeper from a size to its tenfold. Others that use the machine at the
same time only add to a figure, twice as much were seen: so each size is judged by its fastest round.
"""
WHOLE = "call"
"""The figure that is shown and not judged: seconds of the CLI and the engine are in it, whatever the size."""
_NOISE, _TENTHS = {"function": 1.0, "cpu": 0.5, "memory": 2.0}, 0.2
"""What a figure differs by with nothing else different; a growth that is smaller counts as this much.

A function builds, publishes and loads besides, in the engine: the same ten objects took 2.5 to 5 seconds. Processor
time is longer where others use the processor's caches: the same hundred took 2.3 and 2.9 s in one run. The steps, the
processor time and the memory are what shows a square.
"""
_TITLES = {"objects": "objects in the manifests", "replicas": "replicas of one Deployment"}


def worse_than_linear(raw: Facts) -> list[str]:
    """Return a sentence for each figure that grows worse than linearly; what is there at any size is not counted."""
    found = []
    for what in _TITLES:
        for case, figure, unit, sizes in _figures(raw[what], min):
            if figure == WHOLE:
                continue
            noise = _NOISE.get(figure, _TENTHS)
            for first, then, last in _triples(sorted(sizes)):
                before = max(sizes[then] - sizes[first], noise) / (then - first)
                after = (sizes[last] - sizes[then]) / (last - then)
                if after > STEEPER * before:
                    slope = f"{1000 * after:.1f} {unit} for each thousand {what} from {then} to {last}"
                    found.append(f"{case}, {figure}: {slope}, {1000 * before:.1f} {unit} from {first} to {then}")
    return found


def markdown(raw: Facts) -> str:
    """Return a table for each kind of size."""
    return "\n\n".join(_table(what, raw[what]) for what in _TITLES if raw[what]) + "\n"


def _table(what: str, rows: list[Facts]) -> str:
    figures = list(_figures(rows, median))
    counts = sorted({row["size"] for row in rows})
    head = [_TITLES[what], *(f"{count:,}" for count in counts), "growth"]
    lines = [[f"{case}, {name}", *_cells(sizes, counts, unit)] for case, name, unit, sizes in figures]
    return table(head, lines, "---:")


def _cells(sizes: Sizes, counts: list[int], unit: str) -> list[str]:
    """Show each size's figure, and the last one for each object as a part of the first one for each object."""
    first, last = counts[0], counts[-1]
    growth = f"{(sizes[last] / last) / (sizes[first] / first):.2f}" if sizes[first] else "\N{EN DASH}"
    return [*(_shown(sizes[count], unit) for count in counts), growth]


def _shown(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if unit == "MiB" else f"{value:.2f} {unit}"


def _figures(rows: list[Facts], of: Callable[[list[float]], float]) -> Iterator[tuple[str, str, str, Sizes]]:
    """Yield each figure of each case with its unit, one of all rounds for each size."""
    if not rows:
        return
    for case, figures in rows[0]["cases"].items():
        for name in figures:
            by_size: dict[int, list[float]] = {}
            for row in rows:
                by_size.setdefault(row["size"], []).append(row["cases"][case][name])
            unit = "MiB" if name == "memory" else "s"
            yield case, name, unit, {size: of(values) for size, values in by_size.items()}


def _triples(counts: list[int]) -> Iterator[tuple[int, int, int]]:
    for (first, then), (_, last) in pairwise(pairwise(counts)):
        yield first, then, last
