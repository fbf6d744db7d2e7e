"""A role: processes that share a root, namespaces and a cgroup, started and ended as one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planera_lab import cgroups, golang
from planera_lab.command import tail
from planera_lab.errors import LabError
from planera_lab.processes import Process
from planera_lab.settings import INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planera_lab.settings import Lab

ENTER = INPUTS / "enter-root.sh"
# Command of a role that is several processes, as its /etc/lab/processes lists them.
SUPERVISE = ("tini", "-g", "--", "sh", "/etc/lab/supervise.sh", "/etc/lab/processes", "/var/log/lab")
# An engine without a session writes its cache down and ends within seconds, with a large one on a busy machine within
# a minute; one in the middle of a session may never, and begins anew, see discard.py.
STOP_SECONDS = 60.0
KILL_SECONDS = 20.0
READY_SECONDS = 120.0
# Logs of a role's processes that an error quotes, the newest first, and lines of each.
QUOTED_LOGS, QUOTED_LINES = 3, 5


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Role:
    """What to run and what it sees: `lower` are read-only roots (first on top), `binds` are (host, guest).

    `before` is called when the role is about to be started, and none of its processes runs.
    """

    name: str
    lower: tuple[Path, ...]
    binds: tuple[tuple[Path, str], ...]
    command: tuple[str, ...]
    shared: bool = False
    before: Callable[[], None] = nothing
    netns: Path | None = None
    """The file of a network namespace of its own, where it is not in the lab's."""

    def recipe(self, lab: Lab) -> str:
        """Return a text that changes when the role has to be started anew, as in another network namespace."""
        binds = [[str(host), guest] for host, guest in self.binds]
        spaces = [space.stat().st_ino for space in (lab.netns, self.netns) if space]
        return json.dumps([[str(path) for path in self.lower], binds, self.command, *spaces])


def record(lab: Lab, name: str) -> Path:
    """Return the file that remembers a started process."""
    return lab.run / f"{name}.process"


def running(lab: Lab, name: str) -> Process | None:
    """Return the process of a role (or of pasta) if it still runs."""
    try:
        kept = json.loads(record(lab, name).read_text())
        process = Process(kept["pid"], kept["started"])
    except (OSError, ValueError, KeyError):
        return None
    return process if process.alive else None


def remember(lab: Lab, name: str, pid: int, recipe: str = "") -> Process:
    """Keep what tells the process again."""
    process = Process.of(pid)
    if process is None:
        raise LabError(f"start {name}: it ended at once: {last_words(lab, name)}")
    file = record(lab, name)
    file.with_suffix(".new").write_text(json.dumps({**process.as_dict(), "recipe": recipe}))
    file.with_suffix(".new").rename(file)
    return process


def last_words(lab: Lab, name: str) -> str:
    """Name the logs of a role and quote their ends: its own, or those of the processes that a supervisor runs in it."""
    log = lab.logs / f"{name}.log"
    logs = sorted((lab.logs / name).glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)
    if not logs or (log.exists() and log.stat().st_size):
        return f"see {log}, which ends with\n{tail(log)}"
    ends = [f"{file}, which ends with\n{tail(file, QUOTED_LINES)}" for file in logs[:QUOTED_LOGS]]
    return "see " + "\nand ".join(ends)


def up_to_date(lab: Lab, role: Role) -> bool:
    """Whether the role runs, as it would be started now."""
    if running(lab, role.name) is None:
        return False
    kept = json.loads(record(lab, role.name).read_text())
    return bool(kept.get("recipe") == role.recipe(lab))


def start(lab: Lab, role: Role) -> bool:
    """Start the role, unless it already runs as described; tell whether it was started."""
    if up_to_date(lab, role):
        return False
    stop(lab, role.name)
    role.before()
    scratch = lab.run / role.name / "root"
    scratch.mkdir(parents=True, exist_ok=True)
    logs = lab.logs / role.name
    logs.mkdir(parents=True, exist_ok=True)
    for host, _ in role.binds:
        if not host.exists():
            host.mkdir(parents=True)
    prefix: list[str] = []
    groups: list[Path] = []
    if cgroups.enter_by_systemd():
        unit = f"{lab.identity}-{role.name}-{time.time_ns()}"
        prefix = ["systemd-run", "--scope", "--quiet", "--collect", "--unit", unit, "--property", "Delegate=yes"]
    else:
        groups = cgroups.make(lab.identity, role.name)
    settings = {
        "LAB_NETNS": str(role.netns or lab.netns),
        "LAB_CGROUPS": "\n".join(str(group) for group in groups),
        "LAB_LOWER": ":".join(str(path) for path in role.lower),
        "LAB_SCRATCH": str(scratch),
        "LAB_BINDS": "\n".join(f"{host}:{guest}" for host, guest in (*role.binds, (logs, "/var/log/lab"))),
        "LAB_PROPAGATION": "shared" if role.shared else "private",
        "LAB_GOGC": golang.growth(),
    }
    with (lab.logs / f"{role.name}.log").open("ab") as sink:
        launched = subprocess.Popen(
            [*prefix, "sh", str(ENTER), *role.command],
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    remember(lab, role.name, launched.pid, role.recipe(lab))
    return True


def await_ready(lab: Lab, role: str, is_ready: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
    """Wait until a role answers, or quote the log that tells why it does not."""
    deadline = time.monotonic() + seconds
    while not is_ready():
        if running(lab, role) is None:
            raise LabError(f"start {role}: its first process ended: {last_words(lab, role)}")
        if time.monotonic() > deadline:
            raise LabError(f"start {role}: no answer within {seconds:.0f} s: {last_words(lab, role)}")
        time.sleep(0.1)


def init_of(lab: Lab, name: str) -> Process | None:
    """Return the first process inside the role's pid namespace, as the host numbers it."""
    outer = running(lab, name)
    children = outer.children() if outer else []
    return children[0] if children else None


def stop(lab: Lab, name: str) -> None:
    """End the role: a polite signal to its first process, then the whole pid namespace at once."""
    outer = running(lab, name)
    if outer is not None:
        inner = init_of(lab, name)
        if inner is not None:
            inner.signal(signal.SIGTERM)
            inner.wait(STOP_SECONDS)
            inner.signal(signal.SIGKILL)
        outer.signal(signal.SIGKILL)
        if not outer.wait(KILL_SECONDS):
            raise LabError(
                f"stop {name}: process {outer.pid} still runs after SIGKILL: look at it with `ps {outer.pid}`"
            )
    record(lab, name).unlink(missing_ok=True)
    shutil.rmtree(lab.run / name / "root", ignore_errors=True)
    if not cgroups.enter_by_systemd():
        _remove_cgroups(lab, name)


def _remove_cgroups(lab: Lab, name: str) -> None:
    deadline = time.monotonic() + KILL_SECONDS
    while left := cgroups.remove(lab.identity, name):
        if time.monotonic() > deadline:
            raise LabError(f"remove the cgroups of {name}: {left[0]} is still in use: end its processes, then repeat")
        time.sleep(0.05)
