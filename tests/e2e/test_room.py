"""What the tests ask of the lab's one node, which gives no more processors than the machine has."""

from __future__ import annotations

import json
from pathlib import Path

from planera_ci.domain.manifests import Obj, pod_spec
from tests.e2e.harness import MANIFESTS, App, rendered, run

_AT_ONCE = 4
"""The workers of `make test`."""
_SURGE = {"Deployment": 1}
"""Pods of a workload that run beside its replicas while it is renewed."""


def test_an_application_of_each_worker_and_the_demo_fit_on_the_node(app: App) -> None:
    """Staging and production of all run and are renewed, without one waiting for the room of another."""
    one = sum(_asked(app.manifests / name) for name in ("staging", "production"))
    node = json.loads(run(["kubectl", "get", "nodes", "-o", "json"]))["items"][0]
    room = _milli(node["status"]["allocatable"]["cpu"]) - _asked(MANIFESTS / "staging")
    assert _AT_ONCE * one <= room, f"{_AT_ONCE} of {one} m of {room} m"


def _asked(folder: Path) -> int:
    """Return the thousandths of a processor that a folder's pods ask for, while all of them are renewed."""
    return sum(_pods(obj) * _of_pod(spec) for obj in rendered(folder) if (spec := pod_spec(obj)))


def _pods(obj: Obj) -> int:
    return obj["spec"].get("replicas", 1) + _SURGE.get(obj["kind"], 0)


def _of_pod(spec: Obj) -> int:
    """Return the sum of a pod's containers, or its largest step before them."""
    shares = [
        [_milli(c.get("resources", {}).get("requests", {}).get("cpu", "0")) for c in spec.get(name, ())]
        for name in ("containers", "initContainers")
    ]
    return max(sum(shares[0]), *shares[1], 0)


def _milli(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000
