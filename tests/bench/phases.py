"""The lines in which a script tells how long each of its phases took."""

from __future__ import annotations

from dataclasses import dataclass, field

SLEEP = "sleep"


@dataclass(frozen=True)
class Phases:
    """Seconds of phases, which follow each other, and of the parts of a phase, which run side by side."""

    seconds: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    failed: str = ""
    """The phase that was the last one, if it failed."""

    @property
    def asleep(self) -> float:
        """Return the seconds in which the script waited for nothing."""
        return self.seconds.get(SLEEP, 0.0)


def parsed(text: str) -> Phases:
    """Read `phase NAME SECONDS`, `part NAME SECONDS` and `failed NAME`, with tabs between the words."""
    seconds: dict[str, float] = {}
    parts: dict[str, float] = {}
    failed = ""
    for line in text.splitlines():
        kind, name, *rest = line.split("\t")
        if kind == "failed":
            failed = name
            continue
        into = {"phase": seconds, "part": parts}[kind]
        into[name] = round(into.get(name, 0.0) + float(rest[0]), 3)
    return Phases(seconds, parts, failed)
