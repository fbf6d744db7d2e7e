"""The faults, as catalogue.yaml describes them, and how one is put into an application and taken out again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.harness import App
from tests.faults.meanwhile import ACTIONS

_FILE = Path(__file__).with_name("catalogue.yaml")
_BACKEND = "Deployment/backend"
_COMMANDS = {_BACKEND: "python -m planera_backend", "Job/migrate": "python -m planera_backend.migrate"}
_API = {"Deployment": "apps/v1", "Job": "batch/v1"}


@dataclass(frozen=True)
class Fault:
    """One edit of the good application, what happens during its deployment, and what must come of it."""

    name: str
    reason: str = ""
    says: str = ""
    log: str = ""
    sign: str = ""
    """What decides, where that is not told by the class alone: see signs.py."""
    grace: float = 0
    """Seconds that planera-ci gives a state of this kind to pass."""
    workload: str = _BACKEND
    in_cluster: str = ""
    pod: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    objects: list[dict[str, Any]] = field(default_factory=list)
    during: str = ""
    lossy: bool = False
    """Whether requests may be lost: there is one node, and it is what restarts."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sign", self.sign or self.reason)

    @property
    def alone(self) -> bool:
        """Tell whether no other test may run: a part of the lab is missing."""
        return self.during in ACTIONS

    @property
    def edited(self) -> str:
        """Return the workload as the messages name it."""
        return self.workload.lower()

    def patch(self) -> dict[str, Any]:
        """Return the strategic merge patch of the workload."""
        kind, _, name = self.workload.partition("/")
        spec: dict[str, Any] = {**self.spec}
        pods: list[dict[str, Any]] = [self.pod] if self.pod else []
        if self.in_cluster:
            pods.append({"containers": [{"name": name, **self._only_in_a_cluster()}]})
        assert len(pods) < 2, f"{self.name}: in_cluster and pod would both set the container"
        if pods:
            spec["template"] = {"spec": pods[0]}
        return {
            "apiVersion": _API[kind],
            "kind": kind,
            "metadata": {"name": name, "annotations": self.notes},
            "spec": spec,
        }

    def _only_in_a_cluster(self) -> dict[str, Any]:
        """Return a command that behaves in the smoke test: the node's name is set in a cluster alone."""
        node = {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
        script = f'if [ -n "$NODE" ]; then {self.in_cluster}; fi; exec {_COMMANDS[self.workload]}'
        return {"env": [node], "command": ["sh", "-c", script]}


def faults() -> list[Fault]:
    """Read the catalogue."""
    return [Fault(**document) for document in yaml.safe_load_all(_FILE.read_text())]


def add(fault: Fault, manifests: Path) -> None:
    """Put a fault into a folder of manifests."""
    folder = manifests / "staging"
    file = folder / "kustomization.yaml"
    customization = yaml.safe_load(file.read_text())
    (folder / "fault.yaml").write_text(yaml.safe_dump(fault.patch()))
    customization.setdefault("patches", []).append({"path": "fault.yaml"})
    if fault.objects:
        (folder / "fault-objects.yaml").write_text(yaml.safe_dump_all(fault.objects))
        customization["resources"].append("fault-objects.yaml")
    file.write_text(yaml.safe_dump(customization))


@contextmanager
def edited(app: App, fault: Fault) -> Iterator[App]:
    """Put a fault into an application while the block runs."""
    good = app.folder / "k8s.good"
    shutil.copytree(app.manifests, good)
    try:
        add(fault, app.manifests)
        app.commit(fault.name)
        yield app
    finally:
        shutil.rmtree(app.manifests)
        good.rename(app.manifests)
