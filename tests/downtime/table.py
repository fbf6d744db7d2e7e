"""The figures of the bench as a Markdown table, in the document that explains them."""

from __future__ import annotations

from typing import Any

from tests import measured

Figures = dict[str, Any]

_HEAD = ("while", "seconds", "requests", "failed", "page loads", "mixed", "p50", "p99", "max", "p99 to quiet")


def markdown(raw: Figures) -> str:
    """Return the tables and what they were measured on."""
    about = raw["about"]
    where = (
        f"Measured {about['date']}: planera-ci {about['planera-ci']}, Kubernetes {about['kubernetes']} "
        f"({about['nodes']} node{'s' if about['nodes'] > 1 else ''}) with Traefik, "
        f"Dagger {about['dagger']}, and the load, all of it on {about['cores']} cores, "
        f"where {about['busy'][0]} to {about['busy'][1]} processes wanted one; {about['rate']} requests a second. "
        + measured.again(about, "zero-downtime.json")
    )
    return "\n\n".join((where, table(raw["phases"]))) + "\n"


def table(phases: list[Figures]) -> str:
    """Return one line for each phase, and one that adds them up."""
    quiet = next((each["p99"] for each in phases if each["phase"] == "quiet"), 0)
    lines = [[*_cells(each), _ratio(each["p99"], quiet)] for each in phases]
    lines.append(_sum(phases))
    return measured.table(list(_HEAD), lines)


def _cells(each: Figures) -> list[str]:
    counts = [str(each["requests"]), str(len(each["failed"])), str(each["pages"]), str(len(each["mixed"]))]
    return [each["phase"], f"{each['seconds']:.0f}", *counts, *(_time(each[key]) for key in ("p50", "p99", "max"))]


def _sum(phases: list[Figures]) -> list[str]:
    seconds = sum(each["seconds"] for each in phases)
    counts = [
        sum(each["requests"] for each in phases),
        sum(len(each["failed"]) for each in phases),
        sum(each["pages"] for each in phases),
        sum(len(each["mixed"]) for each in phases),
    ]
    return ["all of it", f"{seconds:.0f}", *(f"**{count}**" for count in counts), "", "", "", ""]


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _ratio(value: float, quiet: float) -> str:
    return f"{value / quiet:.1f}" if quiet else "\N{EN DASH}"
