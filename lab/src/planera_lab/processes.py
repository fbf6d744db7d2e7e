"""Processes that the lab started, told from others by number and start time, so that none but its own is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process: its number may be given to another one day, the pair with its start time never is."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """Return the process that has this number now."""
        stat = _stat(pid)
        return None if stat is None or stat[0] in {"Z", "X"} else cls(pid, int(stat[19]))

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Process.of(self.pid) == self

    def children(self) -> list[Process]:
        """Return the processes that this one started."""
        found: list[Process] = []
        for entry in PROC.iterdir():
            if not entry.name.isdigit():
                continue
            stat = _stat(int(entry.name))
            if stat is not None and int(stat[1]) == self.pid and stat[0] not in {"Z", "X"}:
                found.append(Process(int(entry.name), int(stat[19])))
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended or its number belongs to another by now."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for the end; False if it did not come in time."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def as_dict(self) -> dict[str, int]:
        """Return what the lab's state file keeps."""
        return asdict(self)


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on: a name may hold blanks and brackets."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def words_of(pid: int) -> tuple[str, ...]:
    """Return the words that a process was started with; none once it has ended."""
    try:
        text = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(word.decode(errors="replace") for word in text.split(b"\0")[:-1])


def members(init: Process) -> list[tuple[int, str]]:
    """Return number and name of each process in the pid namespace of which `init` is the first."""
    try:
        namespace = (PROC / str(init.pid) / "ns" / "pid").readlink()
    except OSError:
        return []
    found: list[tuple[int, str]] = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "ns" / "pid").readlink() == namespace:
                    found.append((int(entry.name), (entry / "comm").read_text().strip()))
    return sorted(found)
