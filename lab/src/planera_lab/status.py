"""What runs, since when, on which ports, in which versions; as text and as JSON."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from planera_lab import acme, addons, builder, engine, lifecycle, network, node, roles, services, supervision, worker
from planera_lab.errors import LabError
from planera_lab.processes import Process, members

if TYPE_CHECKING:
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab


class RoleStatus(TypedDict):
    """One role: its first process on the host, its age, and what it consists of."""

    pid: int | None
    seconds: float
    answers: bool
    processes: dict[str, int]
    faults: list[str]


class Status(TypedDict):
    """Everything that `lab/lab status` tells."""

    up: bool
    home: str
    roles: dict[str, RoleStatus]
    ports: dict[str, int]
    versions: dict[str, str]


def collect(lab: Lab, pins: Pins) -> Status:
    """Look at each role."""
    answers = {
        network.PASTA: lambda: network.is_mounted(lab.netns),
        services.NAME: lambda: services.ghcr_answer(lab) == services.UNAUTHORIZED,
        engine.NAME: lambda: engine.listens(lab),
        node.NAME: lambda: not addons.not_ready(lab, pins, lifecycle.EVER),
    }
    if roles.record(lab, worker.NAME).exists():
        answers[worker.NAME] = lambda: worker.ready(lab, pins)
    if roles.record(lab, builder.NAME).exists():
        answers[builder.NAME] = lambda: builder.listens(lab)
    if roles.record(lab, acme.NAME).exists():
        answers[acme.NAME] = lambda: acme.listens(lab)
    found: dict[str, RoleStatus] = {}
    for name, ask in answers.items():
        process = roles.running(lab, name)
        init = roles.init_of(lab, name) if name != network.PASTA else None
        found[name] = {
            "pid": process.pid if process else None,
            "seconds": round(age(process), 1) if process else 0.0,
            "answers": process is not None and _safely(ask),
            "processes": dict(Counter(comm for _, comm in members(init))) if init else {},
            "faults": list(supervision.faults(lab, name)) if init else [],
        }
    versions = {module.removeprefix("github.com/"): version for module, version in pins.modules.items()}
    return {
        "up": all(role["answers"] for role in found.values()),
        "home": str(lab.home),
        "roles": found,
        "ports": lab.ports.as_dict(),
        "versions": {"debian": pins.suite, **versions},
    }


def _safely(ask: object) -> bool:
    try:
        return bool(ask())  # type: ignore[operator]
    except (LabError, OSError):
        return False


def age(process: Process) -> float:
    """Seconds since the process was started."""
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return max(0.0, uptime - process.started / os.sysconf("SC_CLK_TCK"))


def as_text(status: Status) -> str:
    """Return the status for a person."""
    lines = [f"lab in {status['home']}: {'up' if status['up'] else 'not up'}"]
    for name, role in status["roles"].items():
        if role["pid"] is None:
            lines.append(f"  {name:<9} does not run")
            continue
        state = "answers" if role["answers"] else "does not answer"
        since = time.strftime("%H:%M:%S", time.localtime(time.time() - role["seconds"]))
        lines.append(f"  {name:<9} {state}, process {role['pid']}, since {since}")
        if role["processes"]:
            names = (f"{comm} ({count})" if count > 1 else comm for comm, count in sorted(role["processes"].items()))
            lines.append(f"            {', '.join(names)}")
        if role["faults"]:
            lines.append(f"            by `lab/lab fault`: {', '.join(role['faults'])}")
    lines.append("ports on 127.0.0.1: " + ", ".join(f"{name} {port}" for name, port in status["ports"].items()))
    lines.append("versions: " + ", ".join(f"{name} {version}" for name, version in status["versions"].items()))
    return "\n".join(lines) + "\n"
