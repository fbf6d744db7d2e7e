"""The figures of the benchmark as tables."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any

from tests.bench.bars import AWAKE, EMPTY, HELM, OURS, bars, middle
from tests.bench.cases import FAILING, NAMES, ROLLBACK
from tests.measured import again, table

Facts = dict[str, Any]
_NONE = "\N{EN DASH}"
_NAMES = {"asModule getModDef": "load the module", "Query.planeraCi": "make its object"}


def markdown(raw: Facts) -> str:
    """Return what was measured on, the tables, and how the bars were met."""
    rows = raw["rows"]
    parts = (_about(raw["about"], rows), _totals(rows), _halves(rows), _parts(rows), _bars(rows))
    return "".join(f"{part}\n\n" for part in parts if part)


def _totals(rows: list[Facts]) -> str:
    head = [
        *("case", "planera-ci", "empty function", "build, push, kubelet", "script, awake", "script"),
        *("to the empty one", "to the script, awake", "to the script"),
    ]
    lines = []
    for case in _cases(rows):
        ours, floor, awake = (middle(rows, case, figure) for figure in (OURS, EMPTY, AWAKE))
        work, script = middle(rows, case, ("planera-ci", "work")), middle(rows, case, ("shell", "seconds"))
        figures = (ours, floor, work, awake, script)
        lines.append([case, *map(_seconds, figures), *(_times(ours, other) for other in (floor, awake, script))])
    return "Whole calls:\n\n" + table(head, lines)


def _halves(rows: list[Facts]) -> str:
    lines = []
    for case in _cases(rows):
        what = "seconds" if case in (FAILING, ROLLBACK) else "deploying"
        helm, ours = middle(rows, case, HELM), middle(rows, case, ("planera-ci", what))
        if helm is not None:
            lines.append([case, _seconds(ours), _seconds(helm), _times(ours, helm)])
    about = (
        "The half that Helm does, from the first change of the cluster to the end of the proof; of a rollback and a "
        "failing image the whole call:"
    )
    return f"{about}\n\n" + table(["case", "planera-ci", "Helm", "to Helm"], lines) if lines else ""


def _parts(rows: list[Facts]) -> str:
    """Tell where the time of our own calls goes, by the spans that were received."""
    lines = []
    for case in _cases(rows):
        found = [row["planera-ci"]["parts"] for row in rows if row["case"] == case]
        names = dict.fromkeys(name for parts in found for name in parts if " " not in name or name in _NAMES)
        spent = {_called(name): median(parts.get(name, 0.0) for parts in found) for name in names}
        lines.append([case, ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items())])
    return "Where the seconds of our calls go; some steps run side by side:\n\n" + table(["case", "seconds"], lines)


def _called(name: str) -> str:
    verb = name.removeprefix("PlaneraCi.")
    return _NAMES.get(name) or (f"all of {verb}" if verb != name else name)


def _bars(rows: list[Facts]) -> str:
    lines = [
        [bar.case, bar.what, f"{bar.measured:.2f}", f"{bar.most:.2f}", "yes" if bar.met else "**no**"]
        for bar in bars(rows)
    ]
    return "The bars:\n\n" + table(["case", "ratio", "measured", "at most", "met"], lines)


def _about(about: Facts, rows: list[Facts]) -> str:
    rounds = len({row["round"] for row in rows})
    return (
        f"Measured {about['date']}: planera-ci {about['planera-ci']}, Dagger {about['dagger']}, BuildKit "
        f"{about['buildkit']}, Helm {about['helm'].split('+')[0]}, kubectl {about['kubectl']}, Kubernetes "
        f"{about['kubernetes']} (the lab: one node), {about['cores']} cores, {about['memory']}, {about['system']}; "
        f"medians of {rounds} round{'s' if rounds > 1 else ''}. " + again(about, "benchmarks.json")
    )


def _cases(rows: Iterable[Facts]) -> list[str]:
    there = {row["case"] for row in rows}
    return [name for name in NAMES if name in there]


def _seconds(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1f} s"


def _times(value: float | None, other: float | None) -> str:
    return f"{value / other:.2f}" if value is not None and other else _NONE
