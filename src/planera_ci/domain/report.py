"""The report of a run: the same facts for people and, as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field


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

    def text(self) -> str:
        """Show the report as people read it."""
        head = f"{self.app} {self.environment}  {self.version}"
        head += f"  (was {self.was})" if self.was and self.was != self.version else ""
        lines = [f"{head:<59} {seconds(self.seconds)}"]
        for step in self.steps:
            lines.append(f"  {step.name:<9} {step.text}")
            lines.extend(f"  {'':<9} {detail}" for detail in step.details)
        lines.extend(f"  {'note':<9} {note}" for note in self.notes)
        return "\n".join(lines)

    def json(self) -> str:
        """Show the report as programs read it."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)


def seconds(value: float) -> str:
    """Show a duration in whole seconds, or tenths below ten."""
    return f"{value:.1f} s" if round(value, 1) < 10 else f"{value:.0f} s"  # noqa: PLR2004


def listed(items: Iterable[str]) -> str:
    """Join items as a sentence lists them."""
    return ", ".join(items)
