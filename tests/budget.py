"""The rule of tests/budget.toml: how long the tests of each folder may take, and what a run that took longer is told.

Two machines of the same kind differ by a factor of two. So a budget is in seconds of one machine, and grows by the
factor that a fixed piece of work takes longer on another.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

_SHOWN = 20
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Phase:
    """The setup, the call or the teardown of one test."""

    test: str
    name: str
    seconds: float


@dataclass(frozen=True)
class Budget:
    """What is written in tests/budget.toml."""

    yardstick: float
    seconds: float
    workers: int
    folders: Mapping[str, float]
    reserved: Mapping[str, float]
    longest: Mapping[str, float]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the file's text."""
        said = tomllib.loads(text)
        whole = said["whole"]
        rest = (said["folders"], said["reserved"], said["longest"])
        return cls(said["yardstick"]["seconds"], whole["seconds"], whole["workers"], *rest)

    @property
    def room(self) -> float:
        """Return the seconds of tests that fit into the whole run."""
        return self.seconds * self.workers

    @property
    def assigned(self) -> float:
        """Return the seconds that have an owner: a folder, or an issue that comes."""
        return sum(self.folders.values()) + sum(self.reserved.values())

    def factor(self, measured: float) -> float:
        """Return how many times longer this machine takes; a faster one gets no smaller budget."""
        return max(1.0, measured / self.yardstick)

    def allowed(self, folder: str, factor: float) -> float:
        """Return the seconds of a folder on this machine; a folder that is not listed has none."""
        return self.folders.get(folder, 0) * factor


def file_of(test: str) -> str:
    """Return the file of a test."""
    return test.partition("::")[0]


def folder_of(file: str) -> str:
    """Return the folder that a file counts for: tests/e2e, lab/tests."""
    return "/".join(file.split("/")[:2])


def by_file(phases: Iterable[Phase]) -> dict[str, float]:
    """Return the seconds of each file."""
    return _added((file_of(phase.test), phase.seconds) for phase in phases)


def by_folder(files: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds of each folder, the longest first."""
    sums = _added((folder_of(file), seconds) for file, seconds in files.items())
    return dict(sorted(sums.items(), key=lambda pair: -pair[1]))


def _added(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    sums: defaultdict[str, float] = defaultdict(float)
    for name, seconds in pairs:
        sums[name] += seconds
    return dict(sums)


def verdict(budget: Budget, folders: Mapping[str, float], factor: float) -> str:
    """Return the one sentence about the folders that took too long, or nothing."""
    allowed = {folder: budget.allowed(folder, factor) for folder in folders}
    over = [
        f"{folder} took {seconds:.0f} s of {allowed[folder]:.0f} s"
        for folder, seconds in folders.items()
        if seconds > allowed[folder]
    ]
    if not over:
        return ""
    return f"The tests are over their budget: {', '.join(over)}. Make them faster, or change tests/budget.toml."


def folder_table(folders: Mapping[str, float], budget: Budget | None, factor: float) -> list[str]:
    """Return the seconds of each folder as lines, with its share and, where one is enforced, its budget."""
    whole = sum(folders.values()) or 1.0
    lines = [f"{'seconds':>8}  {'share':>5}{'  budget' if budget else ''}  folder"]
    for folder, seconds in (*folders.items(), ("all", sum(folders.values()))):
        limit = ""
        if budget:
            allowed = budget.allowed(folder, factor) if folder != "all" else sum(budget.folders.values()) * factor
            limit = f"  {allowed:6.0f}"
        lines.append(f"{seconds:8.1f}  {seconds / whole:5.0%}{limit}  {folder}")
    return lines


def slowest_table(phases: Iterable[Phase]) -> list[str]:
    """Return the slowest phases as lines."""
    slowest = sorted(phases, key=lambda phase: -phase.seconds)[:_SHOWN]
    return [f"{phase.seconds:8.1f}  {phase.name:<8}  {phase.test[:_LONGEST_NAME]}" for phase in slowest]
