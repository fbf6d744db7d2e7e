"""The processes that the supervisor of a role keeps running: found, killed, and kept from being started again.

Its own rules are in inputs/supervise.sh. What holds a process back is a file in the role's /run, which is in memory: a
role that is started anew is whole again.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planera_lab import acme, node, roles, services
from planera_lab.errors import LabError
from planera_lab.processes import PROC, Process, members, words_of
from planera_lab.settings import INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planera_lab.settings import Lab

SUPERVISED = (services.NAME, node.NAME, acme.NAME)
# What starts a role that no `up` starts by itself.
ON_DEMAND = {acme.NAME: "lab/lab acme start"}
# Below the role's root: a file named like a process keeps the supervisor from starting it ...
HELD = "run/held"
# ... or has the registry of that name answer 503, see inputs/services/ghcr.yml.
UNAVAILABLE = "run/unavailable"
END_SECONDS = 5.0


def commands(text: str) -> dict[str, tuple[str, ...]]:
    """Return name and words of each process in a file for the supervisor."""
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {name: tuple(words) for name, *words in lines}


def names() -> dict[str, str]:
    """Return the name of each supervised process, and its role."""
    texts = {role: (INPUTS / role / "processes").read_text() for role in SUPERVISED}
    return {name: role for role, text in texts.items() for name in commands(text)}


def root_of(lab: Lab, role: str) -> Path | None:
    """Return the root that a running role sees, as a path on the host."""
    init = roles.init_of(lab, role)
    return PROC / str(init.pid) / "root" if init else None


@dataclass(frozen=True)
class Supervised:
    """One process of a running role; it has a new number after each start."""

    lab: Lab
    role: str
    name: str

    @property
    def root(self) -> Path:
        """The role's root, seen from the host."""
        root = root_of(self.lab, self.role)
        if root is None:
            command = ON_DEMAND.get(self.role, "lab/lab up")
            raise LabError(f"reach {self.name}: {self.role} does not run: start it with `{command}`")
        return root

    def running(self) -> list[Process]:
        """Return what runs with exactly the words that the supervisor was given: mostly one, several if it forks."""
        init = roles.init_of(self.lab, self.role)
        wanted = commands((self.root / "etc" / "lab" / "processes").read_text()).get(self.name)
        found = (Process.of(pid) for pid, _ in members(init) if words_of(pid) == wanted) if init else iter(())
        return [process for process in found if process is not None]

    def kill(self) -> None:
        """End it as a crash does; the supervisor starts it again unless it is held."""
        for process in self.running():
            process.signal(signal.SIGKILL)
            if not process.wait(END_SECONDS):
                raise LabError(f"kill {self.name}: {process.pid} still runs after SIGKILL: see `ps {process.pid}`")

    def hold(self) -> None:
        """Keep it from being started again."""
        self._mark(HELD)

    def make_unavailable(self) -> None:
        """Have it answer 503, if it is a registry that looks for the mark."""
        self._mark(UNAVAILABLE)

    def release(self) -> None:
        """Let it be started, and answer, again."""
        for folder in (HELD, UNAVAILABLE):
            (self.root / folder / self.name).unlink(missing_ok=True)

    def _mark(self, folder: str) -> None:
        (self.root / folder).mkdir(exist_ok=True)
        (self.root / folder / self.name).touch()


def faults(lab: Lab, role: str) -> Iterator[str]:
    """Name what is held back in a role, and what answers 503."""
    root = root_of(lab, role)
    if root is not None:
        for folder, state in ((HELD, "stopped"), (UNAVAILABLE, "answers 503")):
            if (root / folder).is_dir():
                yield from (f"{file.name} {state}" for file in sorted((root / folder).iterdir()))


def release_all(lab: Lab) -> None:
    """End every fault, in roles that run."""
    for name, role in names().items():
        if root_of(lab, role) is not None:
            Supervised(lab, role, name).release()
