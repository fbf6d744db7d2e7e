"""Pod Security `restricted` by the API server itself: our pods are admitted, and one weakening of them is not."""

from __future__ import annotations

import copy
import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from planera_ci.domain.manifests import Obj, of_kind, pod_spec
from tests.e2e.harness import MANIFESTS, rendered, run

CASES: list[dict[str, Any]] = list(yaml.safe_load_all(Path(__file__).with_name("pod_security.yaml").read_text()))
FOUND = {case["control"]: case["found"] for case in CASES}
ENVIRONMENTS = ("staging", "production")
"""Overlays whose pods must be admitted."""


def _namespace(labels: dict[str, str]) -> Iterator[str]:
    """Make a namespace with labels, and remove it."""
    name = f"planera-p{secrets.token_hex(3)}"
    _create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    # No pod is admitted before the account that it runs as is there.
    run(["kubectl", "-n", name, "wait", "--for=create", "--timeout=60s", "serviceaccount/default"])
    yield name
    run(["kubectl", "delete", "namespace", name, "--wait=false"])


@pytest.fixture(scope="module")
def restricted() -> Iterator[str]:
    """Return a namespace with the labels that an administrator gives production's."""
    (ours,) = of_kind(rendered(MANIFESTS / "access/production"), "Namespace")
    yield from _namespace(ours["metadata"]["labels"])


@pytest.fixture(scope="module")
def baseline() -> Iterator[str]:
    """Return a namespace with the level below, where its own controls speak."""
    yield from _namespace({"pod-security.kubernetes.io/enforce": "baseline"})


@pytest.fixture(scope="module")
def backend() -> Obj:
    """Return a pod as the backend's Deployment in production makes it."""
    return next(pod for pod in _pods("production") if pod["metadata"]["name"] == "deployment-backend")


def test_every_control_is_broken_once() -> None:
    """Kubernetes 1.34 has 12 controls of the level baseline and 6 more of restricted, and each has its case."""
    levels = [case["level"] for case in CASES]
    assert (levels.count("baseline"), levels.count("restricted"), len(FOUND)) == (12, 6, 18)


@pytest.mark.parametrize("case", CASES, ids=FOUND)
def test_one_weakening_is_refused(case: dict[str, Any], backend: Obj, restricted: str) -> None:
    """Of a pod that is weaker in one control than ours, this is what the server says, and nothing else."""
    assert _weaknesses(_create(_weakened(backend, case), restricted), "restricted") == {
        case.get("instead", case["found"]),
        *(FOUND[control] for control in case.get("too", ())),
    }


@pytest.mark.parametrize("case", [case for case in CASES if "instead" in case], ids=lambda case: case["control"])
def test_controls_that_a_stricter_one_replaces_work_by_themselves(
    case: dict[str, Any], backend: Obj, baseline: str
) -> None:
    """Where baseline is enforced, its own control refuses what restricted refuses by another one."""
    assert _weaknesses(_create(_weakened(backend, case), baseline), "baseline") == {case["found"]}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_pod_of_ours_is_admitted(environment: str, restricted: str) -> None:
    """Each template of an overlay makes a pod against which the server has nothing, not even a warning."""
    pods = _pods(environment)
    assert {pod["metadata"]["name"] for pod in pods} >= {"deployment-backend", "statefulset-postgres", "job-migrate"}
    for pod in pods:
        assert _create(pod, restricted) == "", pod["metadata"]["name"]


def _pods(environment: str) -> list[Obj]:
    """Return a pod for each template of a rendered overlay, with the volumes that a StatefulSet's controller adds."""
    found = []
    for obj in rendered(MANIFESTS / environment):
        spec = copy.deepcopy(pod_spec(obj))
        if spec:
            for claim in obj["spec"].get("volumeClaimTemplates", ()):
                name = claim["metadata"]["name"]
                spec.setdefault("volumes", []).append({"name": name, "persistentVolumeClaim": {"claimName": name}})
            meta = {"name": f"{obj['kind']}-{obj['metadata']['name']}".lower()}
            found.append({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    return found


def _weakened(pod: Obj, case: dict[str, Any]) -> Obj:
    """Return a copy of a pod with a case's changes."""
    weaker = copy.deepcopy(pod)
    _merge(weaker["spec"], case.get("pod", {}))
    (container,) = weaker["spec"]["containers"]
    _merge(container, case.get("container", {}))
    assert weaker != pod
    return weaker


def _merge(target: Obj, changes: Obj) -> None:
    """Lay changes over an object as a JSON merge patch does."""
    for name, value in changes.items():
        if value is None:
            del target[name]
        elif isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = value


def _create(obj: Obj, namespace: str = "") -> str:
    """Create an object, in a namespace by dry run only, and return what the server had against it."""
    words = ["-n", namespace, "--dry-run=server"] if namespace else []
    command = ["kubectl", "create", *words, "-f", "-"]
    return subprocess.run(command, input=json.dumps(obj), capture_output=True, text=True, check=False).stderr


def _weaknesses(message: str, level: str) -> set[str]:
    """Return the names of all weaknesses in a refusal by Pod Security; their details stand in parentheses."""
    _, refused, found = message.partition(f'is forbidden: violates PodSecurity "{level}:latest": ')
    assert refused, message
    return set(re.findall(r"(?:^|\), )([^()]+) \(", found))
