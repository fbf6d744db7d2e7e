"""An application of production's shape: two replicas of each component, spread, with its releases told apart."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.harness import ROOT, App, make_app, run
from tests.e2e.thrift import Thrift

_REPLICAS = 2
_COMPONENTS = ("backend", "frontend")
_GONE = "--timeout=120s"
_PAGE_TITLE = re.compile(r"<title>[^<]*</title>")


@dataclass
class Production:
    """An application and the releases that it has had."""

    app: App
    releases: int = 0

    def change(self) -> str:
        """Make a new version of both components, and return its name."""
        self.releases += 1
        name = f"release {self.releases}"
        page = self.app.source / "frontend/src/index.html"
        page.write_text(_PAGE_TITLE.sub(f"<title>Planera {name}</title>", page.read_text()))
        added = {
            "frontend/src/main.js": f'document.documentElement.dataset.release = "{name}";',
            "frontend/src/style.css": f':root {{ --release: "{name}"; }}',
            "backend/planera_backend/__init__.py": f"# {name}",
        }
        for file, line in added.items():
            path = self.app.source / file
            path.write_text(f"{path.read_text()}\n{line}\n")
        self.app.commit(name)
        return name

    def settled(self) -> None:
        """Wait until every pod that was told to end has ended: that is when requests are lost, if any are."""
        self.app.settle()

    def ready(self) -> None:
        """Wait until every replica is available."""
        for component in _COMPONENTS:
            run(["kubectl", "-n", self.app.namespace, "rollout", "status", f"deployment/{component}", _GONE])

    def spread(self) -> None:
        """Have each component on two nodes: the scheduler prefers that, and may still find something better."""
        for component in _COMPONENTS:
            where = self.nodes()[component]
            if len(set(where)) == 1:
                run(["kubectl", "cordon", where[0]])
                try:
                    pod = self.app.get("pods", selector=f"app.kubernetes.io/name={component}")[0]["metadata"]["name"]
                    run(["kubectl", "-n", self.app.namespace, "delete", "pod", pod])
                    self.ready()
                finally:
                    run(["kubectl", "uncordon", where[0]])

    def nodes(self) -> dict[str, list[str]]:
        """Return the node of each pod that serves, by component."""
        return {
            name: [pod["spec"]["nodeName"] for pod in self.app.get("pods", selector=f"app.kubernetes.io/name={name}")]
            for name in (*_COMPONENTS, "postgres")
        }


@contextmanager
def second_node() -> Iterator[None]:
    """Have a second node in the lab while the block runs; a cluster that is not the lab's has what it has.

    No longer than needed: a volume that is made on it meanwhile is gone with it.
    """
    if "LAB_LOGS" not in os.environ:
        yield
        return
    run([str(ROOT / "lab/lab"), "worker", "start"])
    try:
        yield
    finally:
        run([str(ROOT / "lab/lab"), "worker", "stop"])


@contextmanager
def production(name: str, folder: Path, *, plain: bool = False, cli: bool = False) -> Iterator[Production]:
    """Deploy an application of production's shape while the block runs; a plain one has no cookies."""
    made = Production(make_app(name, folder, cli=cli, thrift=Thrift(pause=15)))
    shaped(made.app.manifests, plain=plain)
    made.change()
    try:
        made.app.deployed()
        yield made
    finally:
        made.app.remove()


def shaped(manifests: Path, *, plain: bool) -> None:
    """Give the copied staging production's replicas."""
    file = manifests / "staging/kustomization.yaml"
    settings: dict[str, Any] = yaml.safe_load(file.read_text())
    settings["replicas"] = [{"name": name, "count": _REPLICAS} for name in _COMPONENTS]
    if plain:
        settings.setdefault("patches", []).extend(_as_before())
    file.write_text(yaml.safe_dump(settings, sort_keys=False))


def _as_before() -> list[dict[str, Any]]:
    """Return patches that take off what keeps a page together, and leave the usual pause before a pod ends."""
    pause = "/spec/template/spec/containers/0/lifecycle/preStop/sleep/seconds"
    patches = {
        "Service": {"op": "remove", "path": "/metadata/annotations"},
        "Deployment": {"op": "replace", "path": pause, "value": 5},
    }
    named = {"name": "|".join(_COMPONENTS)}
    return [{"target": {"kind": kind, **named}, "patch": json.dumps([patch])} for kind, patch in patches.items()]
