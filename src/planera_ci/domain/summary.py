"""A report where people look in a CI: the job's summary in Markdown, and annotations of the failing lines."""

from __future__ import annotations

import re
from collections.abc import Iterable

from planera_ci.domain.places import Place
from planera_ci.domain.report import Report, Step, seconds

_FENCE = re.compile(r"`{3,}")
_COMMAND = re.compile(r"^(\s*)(::)", re.MULTILINE)
_MOST = 60_000
"""Characters of a diff that are shown: GitHub takes a summary of 1 MiB, and people read less."""


def markdown(report: Report, evidence: str = "") -> str:
    """Return a report as GitHub's job summary shows it; the evidence, if there is any, by the command that gets it."""
    parts = [f"## {_headline(report)}", _facts(report)]
    if report.error:
        sentence, _, tail = report.error.partition("\n")
        parts.append(f"> {_cell(sentence)}")
        if tail.strip():
            parts.append(_fenced("\n".join(line.removeprefix("    ") for line in tail.splitlines())))
    if report.again:
        parts.append(
            f"The same failure on your machine, from a clone of this repository:\n\n{_fenced(report.again[0], 'sh')}"
        )
        if report.again[1:]:
            parts.append(f"And into the container that failed:\n\n{_fenced(report.again[1], 'sh')}")
    if evidence:
        parts.append(f"Logs, events, states and a timeline are in this run's artifact, and by `{evidence}`.")
    if report.steps:
        parts.append(_table(report.steps))
    parts.extend(f"**Note:** {_cell(note)}" for note in report.notes)
    if report.images:
        rows = "\n".join(f"| {name} | `{reference}` |" for name, reference in sorted(report.images.items()))
        parts.append(_folded("Images", f"| name | reference |\n|---|---|\n{rows}"))
    if report.diff:
        last = report.diff.rpartition("\n")[2]
        parts.append(_folded(f"What changed: {last}", _fenced(report.diff[:_MOST], "diff")))
    return "\n\n".join(filter(None, parts)) + "\n"


def _headline(report: Report) -> str:
    what = f"{report.app} {report.environment}".strip()
    if not report.error:
        return f"✅ {what}: `{report.version}`" if report.version else f"✅ {what}"
    back = report.rollback or {}
    if back.get("verified"):
        return f"❌ {what}: `{report.version}` failed, rolled back to revision {back['revision']} and verified"
    return f"❌ {what}: `{report.version}` failed" if report.version else f"❌ {what} failed"


def _facts(report: Report) -> str:
    facts = [
        f"before: `{report.was}`" if report.was else "",
        f"revision {report.revision}" if report.revision else "",
        f"class `{report.verdict['reason']}`" if report.error and report.verdict.get("reason") else "",
        seconds(report.seconds),
        *(f"<{url}>" for url in report.urls),
    ]
    return " · ".join(filter(None, facts))


def _table(steps: Iterable[Step]) -> str:
    rows = [
        f"| {step.name} | {step.seconds:.1f} | {'<br>'.join(map(_cell, (step.text, *step.details)))} |"
        for step in steps
    ]
    return "\n".join(("| step | seconds | |", "|---|---:|---|", *rows))


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{_cell(title)}</summary>\n\n{body}\n\n</details>"


def _fenced(text: str, language: str = "") -> str:
    longest = max((len(run) for run in _FENCE.findall(text)), default=2)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _cell(text: str) -> str:
    """Return a line as a cell holds it, with nothing in it that Markdown or HTML would read."""
    for mark, shown in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("\n", "<br>")):
        text = text.replace(mark, shown)
    return text


def annotation(title: str, message: str, place: Place | None) -> str:
    """Return a GitHub workflow command that shows an error, at the line of the file where one is known."""
    where = f"file={_property(place.path)},line={place.line}," if place else ""
    return f"::error {where}title={_property(title)}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def quiet(text: str) -> str:
    """Return a text in which no line is a command to the CI that prints it: a log may hold anything."""
    return _COMMAND.sub(r"\1| \2", text.replace("\r", "\n")).replace("##[", "## [")


def outputs(report: Report) -> str:
    """Return the facts that later steps of a job use, a line each."""
    facts = {
        "outcome": report.outcome,
        "version": report.version,
        "revision": str(report.revision or ""),
        "url": report.urls[0] if report.urls else "",
    }
    return "".join(f"{name}={value}\n" for name, value in facts.items())
