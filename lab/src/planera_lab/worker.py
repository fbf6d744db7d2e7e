"""The second machine of the cluster, for what takes two: it joins when asked to, and leaves as one that is drained."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from planera_lab import addons, network, node, pki, roles
from planera_lab.errors import LabError
from planera_lab.machine import Machine
from planera_lab.parts import Store, exclusive
from planera_lab.progress import step
from planera_lab.settings import WORKER_ADDRESS

if TYPE_CHECKING:
    from planera_lab.pins import Pins
    from planera_lab.roles import Role
    from planera_lab.settings import Lab

NAME = "worker"
ACTIONS = ("start", "stop")
MACHINE = Machine(NAME, "lab-2", WORKER_ADDRESS)
# As in inputs/worker/10-lab.conflist.
PODS = "10.91.0.0/16"
CLIENTS = {"kubelet": f"/O=system:nodes/CN=system:node:{MACHINE.hostname}", "proxy": "/CN=system:kube-proxy"}
READY_SECONDS, DRAIN_SECONDS = 60.0, 60


def certificates(lab: Lab) -> None:
    """Make its keys and certificates, signed by the cluster's authority."""
    folder, authority = MACHINE.pki(lab), node.MACHINE.pki(lab) / "ca"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(authority.with_suffix(".crt"), folder / "ca.crt")
    names = [MACHINE.hostname, MACHINE.address]
    pki.issue(folder, str(authority), "kubelet-server", f"/CN=system:node:{MACHINE.hostname}", names)
    for name, subject in CLIENTS.items():
        pki.issue(folder, str(authority), name, subject)


def role(lab: Lab, pins: Pins) -> Role:
    """Describe the role."""
    return MACHINE.role(lab, pins, Store(lab), CLIENTS, network.branch(lab, NAME))


def act(lab: Lab, pins: Pins, action: str) -> None:
    """Have it join or leave, and return when it is so."""
    if roles.running(lab, node.NAME) is None:
        raise LabError(f"{action} the worker: there is no cluster to join: `lab/lab up` starts it")
    with exclusive(lab.home / "lock", "this lab"), step(f"{action} worker", quiet_below=1.0):
        start(lab, pins) if action == "start" else stop(lab, pins)


def start(lab: Lab, pins: Pins) -> None:
    """Have it join, unless it has, and wait until it takes pods."""
    certificates(lab)
    space = network.branch(lab, NAME)
    if not (space.exists() and roles.up_to_date(lab, role(lab, pins))):
        roles.stop(lab, NAME)
        forget(lab, pins)
        network.join(lab, NAME, MACHINE.address, PODS)
        roles.start(lab, role(lab, pins))
    roles.await_ready(lab, NAME, lambda: ready(lab, pins), READY_SECONDS)
    addons.kubectl(lab, pins, "uncordon", MACHINE.hostname)


def ready(lab: Lab, pins: Pins) -> bool:
    """Whether it takes part in the cluster."""
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    with suppress(LabError):
        return addons.kubectl(lab, pins, "get", "node", MACHINE.hostname, f"--output=jsonpath={path}") == "True"
    return False


def stop(lab: Lab, pins: Pins) -> None:
    """Have it leave: its pods end as they would, its name goes from the cluster. Volumes stay for its return."""
    if roles.running(lab, NAME) is not None:
        words = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", "--disable-eviction")
        with suppress(LabError):  # what does not end in time ends with the machine
            addons.kubectl(lab, pins, "drain", MACHINE.hostname, *words, f"--timeout={DRAIN_SECONDS}s")
    roles.stop(lab, NAME)
    network.leave(network.branch(lab, NAME))
    forget(lab, pins)


def forget(lab: Lab, pins: Pins) -> None:
    """Take its name from the cluster, unless it runs: pods that were on it are made anew elsewhere."""
    if MACHINE.pki(lab).exists() and roles.running(lab, NAME) is None:
        addons.kubectl(lab, pins, "delete", "node", MACHINE.hostname, "--ignore-not-found")
