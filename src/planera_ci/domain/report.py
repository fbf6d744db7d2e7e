"""The report of a run: the same facts for people and, as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step: its name, what came of it, and how long it took."""

    name: str
    text: str
    seconds: float = 0.0
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What was done to an environment, step by step."""

    app: str
    environment: str
    version: str
    was: str = ""
    seconds: float = 0.0
    steps: tuple[Step, ...] = field(default=())
    notes: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    revision: int = 0
    outcome: str = ""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """Class, object, message, and when the cluster knew and this run told it."""
    rollback: Mapping[str, Any] | None = None
    """The revision that was put back, whether it was verified, and how long that took."""
    memory: float = 0.0
    """The most memory that the deployment's own process had, in MiB."""
    cpu: float = 0.0
    """The seconds of processor time that it took."""
    images: Mapping[str, str] = field(default_factory=dict)
    """What each image name of the manifests was pinned to."""
    diff: str = ""
    """What changed, secrets masked."""
    error: str = ""
    """Why it failed, the end of the log below."""
    again: tuple[str, ...] = ()
    """Commands that show the same failure, the first one that very step alone."""

    def text(self) -> str:
        """Show the report as people read it."""
        head = f"{self.app} {self.environment}  {self.version}"
        head += f"  (was {self.was})" if self.was and self.was != self.version else ""
        lines = [f"{head:<59} {seconds(self.seconds)}"]
        for step in self.steps:
            lines.append(f"  {step.name:<9} {step.text}")
            lines.extend(f"  {'':<9} {detail}" for detail in step.details)
        lines.extend(f"  {'note':<9} {note}" for note in self.notes)
        if self.error:
            lines.extend(("", f"Error: {self.error}"))
        for title, command in zip(("The same failure on a laptop:", "Inside what failed:"), self.again, strict=False):
            lines.extend((title, f"    {command}"))
        return "\n".join(lines)

    def json(self) -> str:
        """Show the report as programs read it."""
        return json.dumps(self.facts(), ensure_ascii=False, indent=2)

    def facts(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        return asdict(self)


def seconds(value: float) -> str:
    """Show a duration in whole seconds, or tenths below ten."""
    return f"{value:.1f} s" if round(value, 1) < 10 else f"{value:.0f} s"  # noqa: PLR2004


def size(count: int) -> str:
    """Show a number of bytes as people read it."""
    value, unit = float(count), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":  # noqa: PLR2004
            break
        value /= 1000
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def served(count: int) -> str:
    """Say how many services have endpoints; an application may have one, or none."""
    return f"{count} services have endpoints" if count > 1 else f"{'one' if count else 'no'} service has endpoints"


def listed(items: Iterable[str]) -> str:
    """Join items as a sentence lists them."""
    return ", ".join(items)
