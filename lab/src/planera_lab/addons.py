"""What a cluster needs besides Kubernetes: names, storage, the way in; applied, and waited for."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from string import Template
from typing import TYPE_CHECKING

from planera_lab import gobuilds, pki
from planera_lab.command import output
from planera_lab.errors import LabError
from planera_lab.parts import Store
from planera_lab.settings import INPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

IMAGES = ("busybox", "pause", "kubectl", "coredns", "local-path", "traefik")
MANIFESTS = ("coredns.yaml", "local-path.yaml", "traefik.yaml")
# Label of the pods of each, all of which must be ready before the cluster is.
SELECTORS = {"CoreDNS": "k8s-app=kube-dns", "local-path": "app=local-path-provisioner", "Traefik": "app=traefik"}
READY_SECONDS = 120.0


def render(text: str, values: Mapping[str, str]) -> str:
    """Put values, such as the pinned images, in the places of their names."""
    return Template(text).substitute({name.replace("-", "_"): value for name, value in values.items()})


def manifest(lab: Lab, pins: Pins) -> str:
    """Return all objects as one YAML text, the certificate for planera.app among them."""
    pki.issue(lab.secrets, "lab-ca", "planera-app", "/CN=planera.app", ["planera.app", "*.planera.app"])
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "planera-app-tls", "namespace": "kube-system"},
        "type": "kubernetes.io/tls",
        "stringData": {
            "tls.crt": (lab.secrets / "planera-app.crt").read_text(),
            "tls.key": (lab.secrets / "planera-app.key").read_text(),
        },
    }
    texts = [render((INPUTS / "addons" / name).read_text(), pins.images) for name in MANIFESTS]
    return "\n---\n".join([json.dumps(secret), *texts])


def kubectl(lab: Lab, pins: Pins, *words: str | Path) -> str:
    """Run kubectl on the lab's cluster."""
    program = Store(lab).path(gobuilds.kubernetes(pins)) / "kubectl"
    return output([program, f"--kubeconfig={lab.kubeconfig}", *words])


def apply(lab: Lab, pins: Pins, name: str, text: str) -> None:
    """Apply objects from a file that keeps its name while the lab is up; what is there already stays as it is."""
    file = lab.run / f"{name}.yaml"
    pki.write_private(file, text)
    kubectl(lab, pins, "apply", "--server-side", "--force-conflicts", "--field-manager=planera-lab", "-f", file)


def await_ready(lab: Lab, pins: Pins, since: datetime) -> None:
    """Wait until the node and the pods are ready: truly, not as remembered from before a restart."""
    deadline = time.monotonic() + READY_SECONDS
    while missing := not_ready(lab, pins, since):
        if time.monotonic() > deadline:
            raise LabError(
                f"wait for the cluster: {', '.join(missing)} not ready after {READY_SECONDS:.0f} s: "
                f"see `lab/lab run -- kubectl get pods -A` and the logs in {lab.logs / 'node'}"
            )
        time.sleep(0.3)


def not_ready(lab: Lab, pins: Pins, since: datetime) -> list[str]:
    """Names of what is not ready yet."""
    try:
        text = kubectl(lab, pins, "get", "nodes,pods", "--namespace=kube-system", "--output=json")
    except LabError:
        return ["API server"]
    items = json.loads(text)["items"]
    missing = [] if any(_node_ready(item, since) for item in items if item["kind"] == "Node") else ["node"]
    pods = [item for item in items if item["kind"] == "Pod"]
    for name, selector in SELECTORS.items():
        key, _, value = selector.partition("=")
        if not any(pod["metadata"].get("labels", {}).get(key) == value and _pod_ready(pod, since) for pod in pods):
            missing.append(name)
    return missing


def _node_ready(node: Mapping[str, object], since: datetime) -> bool:
    conditions: Sequence[Mapping[str, str]] = node["status"].get("conditions", [])  # type: ignore[attr-defined]
    ready = next((item for item in conditions if item["type"] == "Ready"), None)
    return ready is not None and ready["status"] == "True" and _time(ready["lastHeartbeatTime"]) >= since


def _pod_ready(pod: Mapping[str, object], since: datetime) -> bool:
    states: Sequence[Mapping[str, object]] = pod["status"].get("containerStatuses", [])  # type: ignore[attr-defined]
    return bool(states) and all(
        state["ready"] and _time(state["state"]["running"]["startedAt"]) >= since  # type: ignore[index]
        for state in states
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
