"""Steps that are timed and seen: a span in Dagger's progress, a line in the report, an entry of the timeline."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dagger.telemetry import get_tracer

from planera_ci.domain.report import Step


@dataclass
class Clock:
    """Measures a run and collects its steps in the order in which they end."""

    started: float = field(default_factory=time.monotonic)
    steps: list[Step] = field(default_factory=list)
    timeline: list[tuple[float, str]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Time a step; the block appends the lines that the report shows for it."""
        begun = time.monotonic()
        lines: list[str] = []
        self.note(f"{name} begins")
        try:
            with span(name):
                yield lines
        except BaseException:
            self.note(f"{name} failed")
            lines.insert(0, "failed")
            raise
        finally:
            if lines:
                self.steps.append(Step(name, lines[0], round(time.monotonic() - begun, 3), tuple(lines[1:])))
        self.note(f"{name} is done")

    def say(self, line: str) -> None:
        """Print a line of progress, which Dagger shows under the running function, and note it."""
        print(line, flush=True)  # noqa: T201 - the progress output is what is meant
        self.note(line)

    def note(self, line: str) -> None:
        """Enter a line into the timeline."""
        self.timeline.append((self.seconds(), line))

    def seconds(self) -> float:
        """Return the seconds since the run began."""
        return round(time.monotonic() - self.started, 3)


@contextmanager
def span(name: str) -> Iterator[None]:
    """Show a piece of work in Dagger's progress."""
    with get_tracer().start_as_current_span(name):
        yield


def cpu() -> float:
    """Return the seconds of processor time that this process has taken."""
    return round(time.process_time(), 2)


def memory() -> float:
    """Return the most memory that this process has had, in MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
