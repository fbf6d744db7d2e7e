"""What counts as worse than linear, and how the figures are shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench.growth import Facts, markdown, worse_than_linear

_SIZES = (10, 100, 1000)


def _raw(figure: str, grows: Callable[[int], float]) -> Facts:
    rows = [{"size": size, "cases": {"plan": {figure: grows(size)}}} for size in _SIZES]
    return {"objects": rows, "replicas": []}


@pytest.mark.parametrize(
    ("figure", "grows"),
    [
        ("apply", lambda size: 3 + 0.004 * size),
        ("apply", lambda _: 3.0),
        ("apply", lambda size: 0.002 * size if size < 1000 else 3.6),
        ("memory", lambda size: 90 + 0.02 * size),
        ("cpu", lambda size: 1.6 + 0.0002 * size),
        ("cpu", lambda size: {10: 2.24, 100: 2.26, 1000: 7.41}[size]),
        ("call", lambda size: 0.0001 * size * size),
    ],
    ids=["linear", "the same", "noisy", "memory", "small", "processor", "whole call"],
)
def test_linear_growth_is_fine(figure: str, grows: Callable[[int], float]) -> None:
    """What is there at any size does not count, nor what a machine that others use adds, nor the engine's part."""
    assert worse_than_linear(_raw(figure, grows)) == []


@pytest.mark.parametrize(
    ("figure", "grows"),
    [
        ("apply", lambda size: 3 + 0.00004 * size * size),
        ("apply", lambda size: 3 + 0.004 * size + 0.00001 * size * size),
        ("memory", lambda size: 90 + 0.0002 * size * size),
        ("cpu", lambda size: 1.4 + 0.00004 * size * size),
    ],
    ids=["by the square", "by the square beside a linear part", "memory", "processor"],
)
def test_growth_by_the_square_is_told(figure: str, grows: Callable[[int], float]) -> None:
    """One sentence says which figure, between which sizes."""
    (said,) = worse_than_linear(_raw(figure, grows))
    assert said.startswith(f"plan, {figure}: ")
    assert "objects from 100 to 1000" in said


def test_two_sizes_say_nothing_of_growth() -> None:
    """Between two sizes there is one slope, and nothing to compare it with."""
    raw = _raw("apply", lambda size: float(size * size))
    raw["objects"] = raw["objects"][:2]
    assert worse_than_linear(raw) == []


def test_table_has_the_middle_of_all_rounds_and_what_it_comes_to_for_each_object() -> None:
    """Time for each object, relative to the smallest size: below 1 where a part is there at any size."""
    raw = _raw("apply", lambda size: 1 + 0.01 * size)
    raw["objects"] += _raw("apply", lambda _: 99.0)["objects"] + _raw("apply", lambda size: 1 + 0.01 * size)["objects"]
    assert markdown(raw).splitlines() == [
        "| objects in the manifests | 10 | 100 | 1,000 | growth |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| plan, apply | 1.10 s | 2.00 s | 11.00 s | 0.10 |",
    ]


def test_slow_round_is_no_growth() -> None:
    """What others do on the machine makes a round slower, and no round faster."""
    raw = _raw("apply", lambda size: 1 + 0.01 * size)
    raw["objects"] += _raw("apply", lambda size: 1 + 0.01 * size + (60 if size == _SIZES[-1] else 0))["objects"]
    assert worse_than_linear(raw) == []
