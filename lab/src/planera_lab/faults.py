"""Breaks the surroundings of a pipeline on purpose and mends them: a registry, the API server, the whole node.

The engine is not among them: an engine that is killed loses its cache, and with it the next test its footing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from planera_lab import lifecycle, node, roles, services, supervision
from planera_lab.errors import LabError
from planera_lab.parts import Store, exclusive
from planera_lab.progress import step
from planera_lab.supervision import Supervised

if TYPE_CHECKING:
    from collections.abc import Callable

    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

ACTIONS = ("stop", "start", "restart", "kill", "503")
GHCR = "ghcr"
UNAVAILABLE = 503


def things() -> list[str]:
    """Return everything that can be broken: the node as a whole, and each process that a supervisor keeps running."""
    return [node.NAME, *supervision.names()]


def fault(lab: Lab, pins: Pins, action: str, what: str) -> None:
    """Do one thing to one part of the surroundings, and return when it is so."""
    act = _on_node(lab, pins, action) if what == node.NAME else _on_process(lab, action, what)
    with exclusive(lab.home / "lock", "this lab"), step(f"{action} {what}", quiet_below=1.0):
        act()


def _on_node(lab: Lab, pins: Pins, action: str) -> Callable[[], None]:
    def restart() -> None:
        roles.stop(lab, node.NAME)
        start_node(lab, pins)

    actions: dict[str, Callable[[], None]] = {
        "stop": lambda: roles.stop(lab, node.NAME),
        "start": lambda: start_node(lab, pins),
        "restart": restart,
    }
    if action not in actions:
        raise LabError(f"{action} the node: that is for a process: give one of {', '.join(actions)}")
    if not lab.kubeconfig.exists():
        raise LabError(f"{action} the node: this lab was brought up without one: `lab/lab up` adds it")
    return actions[action]


def start_node(lab: Lab, pins: Pins) -> None:
    """Start the node as a machine that boots, until it and what the lab runs on it are ready."""
    began = datetime.now(UTC).replace(microsecond=0)
    roles.start(lab, node.role(lab, pins, Store(lab)))
    lifecycle.await_cluster(lab, pins, began)


def _on_process(lab: Lab, action: str, what: str) -> Callable[[], None]:
    process = Supervised(lab, supervision.names()[what], what)

    def stop() -> None:
        process.hold()
        process.kill()

    def start() -> None:
        process.release()
        roles.await_ready(lab, process.role, lambda: answers(process))

    def restart() -> None:
        process.kill()
        start()

    def unavailable() -> None:
        process.release()
        process.make_unavailable()
        roles.await_ready(lab, process.role, lambda: services.ghcr_answer(lab) == UNAVAILABLE)

    if action == "503" and what != GHCR:
        raise LabError(f"503 {what}: only {GHCR} can answer that: write `lab/lab fault 503 {GHCR}`")
    return {"stop": stop, "start": start, "restart": restart, "kill": process.kill, "503": unavailable}[action]


def answers(process: Supervised) -> bool:
    """Whether a process runs and, where the lab can ask it, says that it is ready."""
    if not process.running():
        return False
    match process.name:
        case "ghcr":
            return services.ghcr_answer(process.lab) == services.UNAUTHORIZED
        case "apiserver" | "etcd":
            return node.api_ready(process.lab)
        case _:
            return True
