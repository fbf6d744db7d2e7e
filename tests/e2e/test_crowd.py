"""A deployment in a crowded namespace stays small."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.e2e.harness import App, run
from tests.faults.evidence import exported

_PODS, _MOST_MIB, _SECONDS = 500, 200, 120
_LONG = 'yes "$(head -c 2000 /dev/zero | tr "\\0" x)" | head -n 3000'
_FAILS = f'test -z "$NODE" || {{ {_LONG}; exit 7; }}; exec python -m planera_backend'
_NODE = "            - name: NODE\n              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}\n"
"""In the cluster alone it writes a long log, and ends."""


def test_deployment_beside_500_pods_keeps_below_200_mib(make: Callable[[], App], tmp_path: Path) -> None:
    """What the watches bring is kept without what nobody reads; the most memory is in the report."""
    app = make()
    labels = {"app": "crowd"}
    container = {
        "name": "pause",
        "image": "registry.k8s.io/pause:3.10",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    safe = {"runAsNonRoot": True, "runAsUser": 65535, "seccompProfile": {"type": "RuntimeDefault"}}
    # Gated pods are never scheduled: the API server and the watches have them, the node does not.
    spec = {"schedulingGates": [{"name": "planera-ci/never"}], "securityContext": safe, "containers": [container]}
    crowd = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "crowd", "namespace": app.namespace},
        "spec": {
            "replicas": _PODS,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    subprocess.run(["kubectl", "apply", "-f", "-"], input=json.dumps(crowd), text=True, check=True, capture_output=True)
    app.deployed()
    made = [f"--for=jsonpath={{.status.replicas}}={_PODS}", f"--timeout={_SECONDS}s"]
    run(["kubectl", "-n", app.namespace, "wait", "replicaset/crowd", *made])
    start = app.source / "backend/planera_backend/__main__.py"
    start.write_text(start.read_text() + "# changed\n")
    app.commit("rolls beside the crowd")
    report = app.deployed()
    assert report["outcome"] == "succeeded"
    assert 0 < report["memory"] < _MOST_MIB
    app.edit("k8s/base/backend.yaml", "          env:\n", f"          command: [sh, -c, '{_FAILS}']\n          env:\n")
    app.edit("k8s/base/backend.yaml", "          env:\n", f"          env:\n{_NODE}")
    assert app.deploy().code != 0
    failed = exported(app, tmp_path / "evidence").report
    assert failed["verdict"]["reason"] == "crash"
    assert 0 < failed["memory"] < _MOST_MIB, "evidence of a failure, with every pod and a long log"
