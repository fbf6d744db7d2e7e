"""Faults of the lab that is up: what they break is broken, what they leave alone stays, and all of it comes back."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator

import pytest
from lab_command import call, roles

from planera_lab import node, services
from planera_lab.processes import Process
from planera_lab.settings import GHCR_ADDRESS, MIRROR, Lab
from planera_lab.supervision import Supervised, names

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("running_lab")]
LAB = Lab.from_environment()


@pytest.fixture(autouse=True)
def _whole_again() -> Iterator[None]:
    """Leave the lab as it was, however the test ended: `up` ends every fault."""
    yield
    assert call("up").returncode == 0
    assert call("status").returncode == 0


def fault(action: str, what: str) -> None:
    done = call("fault", action, what)
    assert done.returncode == 0, done.stderr


def inside(*command: str) -> subprocess.CompletedProcess[str]:
    """Run one of the host's programs in the lab's network."""
    words = ["nsenter", f"--net={LAB.netns}", *command]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)


def connects(address: str, port: int) -> str:
    """Return what a program inside is told that connects."""
    script = f"import socket; socket.create_connection(({address!r}, {port}), 5)"
    return (inside("python3", "-c", script).stderr.splitlines() or ["connected"])[-1]


def processes(*wanted: str) -> dict[str, list[Process]]:
    """Return what runs under these names: the same later, unless it was started anew."""
    return {name: Supervised(LAB, names()[name], name).running() for name in wanted}


def test_a_stopped_registry_refuses_connections_until_it_is_started() -> None:
    """The mirror and the name server beside it stay, and `status` tells who did that."""
    others = processes("mirror", "dns")
    fault("stop", "ghcr")
    assert "ConnectionRefusedError" in connects(GHCR_ADDRESS, 443)
    host, port = MIRROR.split(":")
    assert connects(host, int(port)) == "connected"
    assert roles()["services"]["faults"] == ["ghcr stopped"]
    assert call("status").returncode == 1
    fault("start", "ghcr")
    assert services.ghcr_answer(LAB) == services.UNAUTHORIZED
    assert roles()["services"]["faults"] == []
    assert processes("mirror", "dns") == others


def test_an_unavailable_registry_answers_503_until_it_is_started() -> None:
    """It is the registry's own answer, of the process that ran before."""
    before = processes("ghcr")
    fault("503", "ghcr")
    assert services.ghcr_answer(LAB) == http.HTTPStatus.SERVICE_UNAVAILABLE
    fault("start", "ghcr")
    assert services.ghcr_answer(LAB) == services.UNAUTHORIZED
    assert processes("ghcr") == before


def test_up_ends_faults() -> None:
    """Who meets a lab that another left broken needs to know no more than `up`."""
    fault("stop", "ghcr")
    assert call("up").returncode == 0
    assert services.ghcr_answer(LAB) == services.UNAUTHORIZED


def test_a_restarted_api_server_is_another_process_and_ready() -> None:
    """What is around it runs on."""
    others, before = processes("etcd", "kubelet", "containerd"), processes("apiserver")
    fault("restart", "apiserver")
    assert node.api_ready(LAB)
    assert processes("apiserver") != before
    assert processes("etcd", "kubelet", "containerd") == others


def test_a_killed_api_server_is_gone_when_the_command_returns_and_comes_back() -> None:
    """Its supervisor starts it again; `start` waits for that."""
    fault("kill", "apiserver")
    assert not node.api_ready(LAB)
    fault("start", "apiserver")
    assert node.api_ready(LAB)


def test_a_restarted_node_runs_every_pod_anew() -> None:
    """Engine and registries, whose state a test wants to keep, run on."""

    def restarts() -> dict[str, int]:
        words = ("kubectl", "get", "pods", "--namespace=kube-system", "--output=json")
        pods = json.loads(call("run", "--", *words).stdout)["items"]
        # The storage's helpers are nobody's: they come and go with the volumes of others.
        kept = [pod for pod in pods if pod["metadata"].get("ownerReferences")]
        return {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in kept}

    roles_before, before = roles(), restarts()
    fault("restart", "node")
    after = roles()
    assert {name for name in after if after[name]["pid"] != roles_before[name]["pid"]} == {"node"}
    now = restarts()  # one may have ended once more by itself: its API server was not there yet
    assert now.keys() == before.keys()
    assert all(now[name] > count for name, count in before.items()), (before, now)
