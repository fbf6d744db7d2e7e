"""Certificates by ACME, for what takes them: Pebble beside the registries, cert-manager in the cluster, on demand.

The cluster itself remembers that it has cert-manager: `up` starts Pebble beside one that has.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from planera_lab import addons, building, gobuilds, images, node, once, pki, roles
from planera_lab.errors import LabError
from planera_lab.layers import layer
from planera_lab.parts import Store, exclusive
from planera_lab.processes import PROC
from planera_lab.progress import step
from planera_lab.roles import Role
from planera_lab.rootfs import root
from planera_lab.settings import ACME_HOST, INPUTS

if TYPE_CHECKING:
    from pathlib import Path

    from planera_lab.parts import Part
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

NAME = "acme"
ACTIONS = ("start", "stop")
IMAGES = ("cert-manager", "acmesolver")
DEPLOYMENT = ("deployment", "cert-manager", "--namespace=kube-system")
CHALLENGES = "challenges.acme.cert-manager.io"
READY_SECONDS = 60.0
ENDING = "--timeout=60s"
PORT = 14000  # as in inputs/acme/pebble.json
# What Pebble has no place for in its file: whose authority it signs for, no pauses that imitate a network, and how
# many nonces of a hundred it refuses, as a client must bear.
PEBBLE = ("PEBBLE_ROOT=/etc/lab/lab-ca", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=5")


def parts(pins: Pins) -> list[Part]:
    """Parts that Pebble and cert-manager run from, each of the former before what is made of it."""
    built = images.catalogue(pins)
    programs = [gobuilds.pebble(pins), gobuilds.cert_manager(pins)]
    return [root(pins), *programs, *(built[name] for name in IMAGES)]


def role(lab: Lab, pins: Pins, store: Store) -> Role:
    """Describe Pebble's role, with its certificate made at the first call."""
    debian, pebble, *_ = (store.path(part) for part in parts(pins))
    pki.issue(lab.secrets, "lab-ca", NAME, f"/CN={ACME_HOST}", [ACME_HOST])
    inputs = INPUTS / NAME
    files: dict[str, Path | str | bytes] = {
        "/etc/lab/processes": inputs / "processes",
        "/etc/lab/supervise.sh": INPUTS / "supervise.sh",
        "/etc/lab/pebble.json": inputs / "pebble.json",
        "/etc/lab/acme.crt": lab.secrets / "acme.crt",
        "/etc/lab/acme.key": lab.secrets / "acme.key",
        # what Pebble issues is trusted by whoever trusts the lab's authority
        "/etc/lab/lab-ca.crt": lab.ca,
        "/etc/lab/lab-ca.key": lab.secrets / "lab-ca.key",
    }
    command = ("env", *PEBBLE, *roles.SUPERVISE)
    return Role(NAME, (layer(lab, NAME, files), debian), ((pebble, "/opt/pebble"),), command)


def manifest(lab: Lab, pins: Pins) -> str:
    """Return cert-manager's objects and the issuers as one YAML text."""
    authority = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "lab-ca", "namespace": "kube-system"},
        "data": {"lab-ca.crt": lab.ca.read_text()},
    }
    values = {**pins.images, "lab-ca": base64.b64encode(lab.ca.read_bytes()).decode()}
    text = addons.render((INPUTS / NAME / "cert-manager.yaml").read_text(), values)
    return f"{json.dumps(authority)}\n---\n{text}"


def act(lab: Lab, pins: Pins, action: str) -> None:
    """Start or stop it, and return when it is so."""
    if roles.running(lab, node.NAME) is None:
        raise LabError(f"{action} acme: there is no cluster for cert-manager: `lab/lab up` starts it")
    with exclusive(lab.home / "lock", "this lab"), step(f"{action} acme", quiet_below=1.0):
        if action == "stop":
            stop(lab, pins)
            return
        start(lab, pins)
        waiting = f"--timeout={READY_SECONDS:.0f}s"
        addons.kubectl(lab, pins, "rollout", "status", *DEPLOYMENT, waiting)
        addons.kubectl(lab, pins, "wait", "--for=condition=Ready", waiting, "clusterissuers", "--all")


def start(lab: Lab, pins: Pins) -> None:
    """Build what is missing, start Pebble unless it runs, and have the cluster run cert-manager."""
    store = building.build(Store(lab), parts(pins))
    roles.start(lab, role(lab, pins, store))
    roles.await_ready(lab, NAME, lambda: listens(lab), READY_SECONDS)
    text = manifest(lab, pins)
    keys = (images.catalogue(pins)[name].key for name in IMAGES)
    once.do(lab, NAME, "\n".join([text, *keys]), lambda: _install(lab, pins, store, text))


def _install(lab: Lab, pins: Pins, store: Store, text: str) -> None:
    images.publish(lab, pins, store, IMAGES)
    definitions = store.path(gobuilds.cert_manager(pins)) / "crds"
    kinds = "\n---\n".join(file.read_text() for file in sorted(definitions.iterdir()))
    addons.apply(lab, pins, f"{NAME}-kinds", kinds)
    addons.kubectl(lab, pins, "wait", "--for=condition=Established", "--timeout=60s", "-f", definitions)
    addons.apply(lab, pins, NAME, text)


def resume(lab: Lab, pins: Pins) -> None:
    """Start it beside a cluster that has it from before; what waits for a certificate may wait on."""
    if addons.kubectl(lab, pins, "get", *DEPLOYMENT, "--ignore-not-found", "--output=name"):
        start(lab, pins)


def stop(lab: Lab, pins: Pins) -> None:
    """Take cert-manager from the cluster and end Pebble; definitions, issuers and what was issued stay."""
    once.forget(lab, NAME)
    addons.kubectl(lab, pins, "delete", *DEPLOYMENT, "--ignore-not-found", "--cascade=foreground", ENDING)
    _release(lab, pins)
    roles.stop(lab, NAME)


def _release(lab: Lab, pins: Pins) -> None:
    """Give up what is being validated: nobody is left to let it go, and its namespace could never be deleted."""
    if not addons.kubectl(lab, pins, "get", "crd", CHALLENGES, "--ignore-not-found", "--output=name"):
        return
    found = json.loads(addons.kubectl(lab, pins, "get", CHALLENGES, "--all-namespaces", "--output=json"))["items"]
    for item in found:
        place = (item["metadata"]["name"], f"--namespace={item['metadata']['namespace']}")
        addons.kubectl(
            lab, pins, "patch", CHALLENGES, *place, "--type=merge", '--patch={"metadata":{"finalizers":null}}'
        )
        addons.kubectl(lab, pins, "delete", CHALLENGES, *place, "--ignore-not-found")


def listens(lab: Lab) -> bool:
    """Whether Pebble takes connections: they are open to the lab's network only, so its table is looked at."""
    init = roles.init_of(lab, NAME)
    if init is None:
        return False
    try:
        lines = (PROC / str(init.pid) / "net" / "tcp").read_text().splitlines()[1:]
    except OSError:  # it ended meanwhile
        return False
    return any(local.endswith(f":{PORT:04X}") and state == "0A" for _, local, _, state, *_ in map(str.split, lines))
