"""Holds what a page shows of a command's output against what the command prints: by its shape.

Digests, commits, times, counts and names of pods are other ones each time. The lines that a page shows must all be
printed, and a report must have the steps that the page shows, no more and no fewer, unless the page leaves lines out
with a `…`.
"""

from __future__ import annotations

import re

LEFT_OUT = "…"
_MASKS = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\s*\[traceparent:\S*\]"), ""),
    (re.compile(r"(certificate of \S+) by .*"), r"\1 by"),
    (re.compile(r"sha256:[0-9a-f]+…?"), "DIGEST"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\+00:00|Z)?"), "TIME"),
    (re.compile(r"\b(pod/|pod )?(\w+)-[0-9a-z]{8,10}-[0-9a-z]{5}\b"), r"\1\2-POD"),
    (re.compile(r"\b(planera-ci|migrate|database-password)-[0-9a-z]{5,8}\b"), r"\1-ID"),
    (re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7,40}\b"), "COMMIT"),
    (re.compile(r"\d+(?:\.\d+)?"), "0"),
    (re.compile(r"\s+"), " "),
)
_STEP = re.compile(r"  ([a-z]+) +\S")


def problems(shown: tuple[str, ...], printed: str) -> list[str]:
    """Return what a page shows that was not printed, and the steps that it does not show."""
    there = {shape(line) for line in printed.splitlines()}
    wanted = [line for line in shown if line.strip() and line.strip() != LEFT_OUT]
    found = [f"not printed: {line}" for line in wanted if not _is_there(shape(line), there)]
    if shown and LEFT_OUT not in (line.strip() for line in shown):
        found.extend(f"not shown: {name}" for name in sorted(_steps(printed.splitlines()) - _steps(list(shown))))
    return found


def shape(line: str) -> str:
    """Return a line without what is another one each time."""
    for pattern, instead in _MASKS:
        line = pattern.sub(instead, line)
    return line.strip()


def _is_there(line: str, there: set[str]) -> bool:
    """Tell whether a line was printed; one with a `…` needs what stands around it."""
    if LEFT_OUT not in line:
        return line in there
    parts = re.compile(".*".join(map(re.escape, line.split(LEFT_OUT))))
    return any(parts.fullmatch(each) for each in there)


def _steps(lines: list[str]) -> set[str]:
    """Return the names of a report's steps."""
    return {found[1] for line in lines if (found := _STEP.match(line))}
