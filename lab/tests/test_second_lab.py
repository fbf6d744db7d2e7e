"""A second lab beside the first, from the same built parts, comes up, keeps what it has, and leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_command import LAB, answering, call

from planera_lab import cgroups
from planera_lab.settings import Lab

pytestmark = [pytest.mark.lab, pytest.mark.slow_lab, pytest.mark.usefixtures("running_lab")]
PORTS = {"LAB_API_PORT": "16443", "LAB_HTTP_PORT": "18080", "LAB_HTTPS_PORT": "18443", "LAB_REGISTRY_PORT": "15443"}


@pytest.fixture
def second() -> Iterator[dict[str, str]]:
    home = tempfile.mkdtemp(prefix="planera-lab-")
    environment = {**PORTS, "LAB_HOME": home, "LAB_CACHE": str(Lab.from_environment().cache)}
    yield environment
    call("down", "--purge", **environment)
    shutil.rmtree(home, ignore_errors=True)


def traces(home: str) -> dict[str, list[str]]:
    """Everything on the host that bears the name of a lab."""
    identity = Lab.from_environment({"LAB_HOME": home}).identity
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if home in line]
    groups = [str(path / identity) for path in cgroups.hierarchies() if (path / identity).exists()]
    processes: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if home.encode() in text:
                processes.append(entry.name)
    return {"mounts": mounts, "cgroups": groups, "processes": processes}


def rules() -> list[str]:
    """Rules of the host's packet filter, in both back ends, as far as its tools are there."""
    tools = [tool for tool in ("iptables-legacy-save", "iptables-nft-save", "nft") if shutil.which(tool)]
    commands = [[tool, "list", "ruleset"] if tool == "nft" else [tool] for tool in tools]
    texts = [subprocess.run(command, capture_output=True, text=True, check=False).stdout for command in commands]
    return [line for text in texts for line in text.splitlines() if not line.startswith(("#", ":"))]


def test_a_second_lab_lives_beside_the_first_and_leaves_nothing(second: dict[str, str]) -> None:
    home, before, first = second["LAB_HOME"], rules(), answering()
    assert first
    links = sorted(path.name for path in Path("/sys/class/net").iterdir())
    own_dotenv = LAB.parents[1] / ".env"
    dotenv = own_dotenv.read_text()

    done = call("up", **second)
    assert done.returncode == 0, done.stderr
    assert call("status", **second).returncode == 0
    kept = call("run", "--", "kubectl", "create", "configmap", "kept", **second)
    assert kept.returncode == 0, kept.stderr
    built = call("builder", "start", **second)
    assert built.returncode == 0, built.stderr
    assert all(traces(home).values())
    assert own_dotenv.read_text() == dotenv

    assert call("down", **second).returncode == 0
    assert traces(home) == {"mounts": [], "cgroups": [], "processes": []}
    assert rules() == before
    assert sorted(path.name for path in Path("/sys/class/net").iterdir()) == links

    start = time.monotonic()
    assert call("up", **second).returncode == 0
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert time.monotonic() - start < 30 * busy, "30 s are for a machine that does nothing else"
    assert call("run", "--", "kubectl", "get", "configmap", "kept", **second).returncode == 0

    # a lab that was killed half way is taken up again
    for name in ("node", "pasta"):
        process = json.loads((Path(home) / "run" / f"{name}.process").read_text())
        os.kill(process["pid"], signal.SIGKILL)
        assert call("status", **second).returncode == 1
        done = call("up", **second)
        assert done.returncode == 0, done.stderr
        assert call("status", **second).returncode == 0

    assert call("down", "--purge", **second).returncode == 0
    assert traces(home) == {"mounts": [], "cgroups": [], "processes": []}
    assert not Path(home).exists()
    assert answering() == first, "the first lab is as it was"
