"""What the tests ask of the lab's one node, which gives no more processors than the machine has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from tests.e2e.harness import App, run

_AT_ONCE = 2
"""The workers of `make test`."""
_DEMO = "k8s/staging"
_SURGE = {"Deployment": 1}
"""Pods of a workload that run beside its replicas while it is renewed."""


def test_two_applications_and_the_demo_fit_on_the_node(app: App) -> None:
    """Staging and production of both run and are renewed, without one waiting for the room of another."""
    one = sum(_asked(str(app.manifests / name)) for name in ("staging", "production"))
    node = json.loads(run(["kubectl", "get", "nodes", "-o", "json"]))["items"][0]
    room = _milli(node["status"]["allocatable"]["cpu"]) - _asked(_DEMO)
    assert _AT_ONCE * one <= room, f"two of {one} m of {room} m"


def _asked(folder: str) -> int:
    """Return the thousandths of a processor that a folder's pods ask for, while all of them are renewed."""
    objects = yaml.safe_load_all(run(["kubectl", "kustomize", folder]))
    return sum(_pods(each) * _of_containers(template) for each in objects for template in _templates(each))


def _pods(obj: dict[str, Any]) -> int:
    return obj["spec"].get("replicas", 1) + _SURGE.get(obj["kind"], 0)


def _templates(obj: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the template of an object's pods, if it has pods."""
    spec = obj.get("spec", {})
    if "jobTemplate" in spec:
        spec = spec["jobTemplate"]["spec"]
    if "template" in spec:
        yield spec["template"]["spec"]


def _of_containers(template: dict[str, Any]) -> int:
    """Return the sum of a pod's containers, or its largest step before them."""
    shares = [
        [_milli(c.get("resources", {}).get("requests", {}).get("cpu", "0")) for c in template.get(name, ())]
        for name in ("containers", "initContainers")
    ]
    return max(sum(shares[0]), *shares[1], 0)


def _milli(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000
