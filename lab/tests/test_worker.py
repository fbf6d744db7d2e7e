"""The second machine joins the cluster, runs pods that reach the first one's, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator

import pytest
from lab_command import call

from planera_lab import worker
from planera_lab.settings import Lab

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("running_lab")]
BUSYBOX = "docker.io/library/busybox:1.37"
NODE = worker.MACHINE.hostname


@pytest.fixture(autouse=True)
def _alone_again() -> Iterator[None]:
    """Leave the lab with one node, however the test ended."""
    yield
    assert call("worker", "stop").returncode == 0


def kubectl(*words: str) -> subprocess.CompletedProcess[str]:
    return call("run", "--", "kubectl", *words)


def nodes() -> dict[str, str]:
    """Return each node's state of readiness."""
    items = json.loads(kubectl("get", "nodes", "-o", "json").stdout)["items"]
    ready = (next(c["status"] for c in item["status"]["conditions"] if c["type"] == "Ready") for item in items)
    return {item["metadata"]["name"]: state for item, state in zip(items, ready, strict=True)}


def test_a_worker_joins_runs_pods_and_leaves() -> None:
    """A pod on it has names, reaches a service whose pod is on the other node, and its log can be read."""
    done = call("worker", "start")
    assert done.returncode == 0, done.stderr
    assert nodes() == {"lab": "True", NODE: "True"}
    assert json.loads(call("status", "--json").stdout)["roles"]["worker"]["answers"] is True
    name = f"lab-test-{time.time_ns()}"
    script = "nslookup kubernetes.default.svc.cluster.local && nslookup ghcr.io"
    overrides = json.dumps({"spec": {"nodeName": NODE}})
    try:
        words = (f"--image={BUSYBOX}", "--restart=Never", f"--overrides={overrides}")
        created = kubectl("run", name, *words, "--command", "--", "sh", "-c", script)
        assert created.returncode == 0, created.stderr
        ended = kubectl("wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
        log = kubectl("logs", name).stdout
        assert ended.returncode == 0, log
        assert "10.96.0.1" in log
        assert "10.99.0.2" in log
    finally:
        kubectl("delete", "pod", name, "--wait=false")
    done = call("worker", "stop")
    assert done.returncode == 0, done.stderr
    assert nodes() == {"lab": "True"}
    assert "worker" not in json.loads(call("status", "--json").stdout)["roles"]
    assert not list(Lab.from_environment().run.glob("netns-*"))


def test_a_worker_that_is_there_already_stays() -> None:
    """`start` twice is `start` once; `up` leaves it alone, and so does a fault of the first node."""
    assert call("worker", "start").returncode == 0
    before = json.loads(call("status", "--json").stdout)["roles"]["worker"]["pid"]
    assert call("worker", "start").returncode == 0
    assert call("up").returncode == 0
    assert call("fault", "restart", "apiserver").returncode == 0
    assert json.loads(call("status", "--json").stdout)["roles"]["worker"]["pid"] == before
    assert nodes()[NODE] == "True"
