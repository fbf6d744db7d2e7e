"""Removes large folders without making anyone wait: renamed at once, deleted by another process, or the next time."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING

from planera_lab.command import output
from planera_lab.errors import LabError
from planera_lab.roles import record, remember, running

if TYPE_CHECKING:
    from pathlib import Path

    from planera_lab.settings import Lab

NAME = "discard"
END_SECONDS = 10.0
# The shell ends at once and leaves the process to the machine's first one; its number is all that is printed.
REMOVE = 'setsid nice -n 19 rm -rf -- "$1" < /dev/null > /dev/null 2>&1 & echo $!'


def folder(lab: Lab) -> Path:
    """Return where folders wait to be deleted: on the file system of the state, so that a rename is enough."""
    return lab.state / "discarded"


def set_aside(lab: Lab, unwanted: Path) -> None:
    """Make a folder vanish from its place."""
    folder(lab).mkdir(parents=True, exist_ok=True)
    unwanted.rename(folder(lab) / f"{unwanted.name}-{time.time_ns()}")


def remove(lab: Lab) -> None:
    """Have everything deleted that was set aside, unless that is under way."""
    if not folder(lab).exists() or running(lab, NAME) is not None:
        return
    lab.run.mkdir(parents=True, exist_ok=True)
    pid = int(output(["sh", "-c", REMOVE, "sh", folder(lab)]))
    with contextlib.suppress(LabError):  # little to delete: it has ended already
        remember(lab, NAME, pid)


def stop(lab: Lab) -> None:
    """End the deletion; the next `up` goes on with it."""
    process = running(lab, NAME)
    if process is not None:
        process.signal(signal.SIGKILL)
        process.wait(END_SECONDS)
    record(lab, NAME).unlink(missing_ok=True)
