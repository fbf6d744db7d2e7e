"""What `lab/lab builder` starts builds from a shell, pushes to the lab's ghcr.io, and leaves nothing behind."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_command import call

from planera_lab import builder, cgroups
from planera_lab.settings import REGISTRY_USER, Lab

LAB = Lab.from_environment()
# A registry of packages is what builds need most: the second line asks one, by a host's own authority if it has one.
DOCKERFILE = """\
FROM python:3.13-slim
RUN pip download --no-cache-dir --no-deps --dest /tmp six==1.17.0 && date +%N > /made
"""


def test_the_daemon_trusts_what_its_containers_trust(tmp_path: Path) -> None:
    """The public authorities first, then the lab's own."""
    lab = Lab.from_environment({"LAB_HOME": str(tmp_path)})
    lab.ca.parent.mkdir(parents=True)
    lab.ca.write_text("of the lab\n")
    (tmp_path / "public").write_text("public\n\n")
    text = builder.trusted(lab, tmp_path / "public")
    assert text.startswith("public\n")
    assert text.endswith("\nof the lab\n")


@pytest.fixture
def started() -> Iterator[None]:
    """Have it run, and leave the lab without it, as it is after `up`."""
    done = call("builder", "start")
    assert done.returncode == 0, done.stderr
    yield
    assert call("builder", "stop").returncode == 0


def build(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    context = [f"--local={kind}={folder}" for kind in ("context", "dockerfile")]
    command = ["buildctl", "build", "--progress=plain", "--frontend=dockerfile.v0", *context, *words]
    return call("run", "--", *command, DOCKER_CONFIG=str(folder / "login"))


def login() -> str:
    return b64encode(f"{REGISTRY_USER}:{LAB.registry_password.read_text().strip()}".encode()).decode()


def published(repository: str) -> int:
    """Return how the registry answers who asks for an image by its tag."""
    url = f"https://127.0.0.1:{LAB.ports.registry}/v2/{repository}/manifests/latest"
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {login()}"})
    request.add_header("Accept", "application/vnd.oci.image.manifest.v1+json")
    context = ssl.create_default_context(cafile=str(LAB.ca))
    context.check_hostname = False
    with urllib.request.urlopen(request, context=context, timeout=5) as answer:
        return int(answer.status)


def traces() -> list[str]:
    """Return what a builder that runs is seen by."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"{LAB.run}/builder" in line]
    groups = [
        str(path) for top in cgroups.hierarchies() for path in [top / LAB.identity / builder.NAME] if path.exists()
    ]
    files = [str(path) for path in LAB.run.glob(f"{builder.NAME}*")]
    return mounts + groups + files


@pytest.mark.lab
@pytest.mark.usefixtures("running_lab", "started")
def test_it_builds_pushes_and_leaves_nothing(tmp_path: Path) -> None:
    assert call("builder", "start").returncode == 0
    status = json.loads(call("status", "--json").stdout)
    assert status["roles"]["builder"]["answers"] is True
    assert "buildkitd" in status["roles"]["builder"]["processes"]

    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    repository = f"lab-test-{time.time_ns()}/image"
    output = f"--output=type=image,name=ghcr.io/{repository}:latest,push=true"
    refused = build(tmp_path, output)
    assert refused.returncode != 0
    assert "401" in refused.stderr or "authorization" in refused.stderr
    (tmp_path / "login").mkdir()
    (tmp_path / "login" / "config.json").write_text(json.dumps({"auths": {"ghcr.io": {"auth": login()}}}))
    pushed = build(tmp_path, output)
    assert pushed.returncode == 0, pushed.stderr
    assert published(repository) == 200

    assert call("builder", "stop").returncode == 0
    assert traces() == []
    assert "builder" not in json.loads(call("status", "--json").stdout)["roles"]

    assert call("builder", "start").returncode == 0
    again = build(tmp_path)
    assert again.returncode == 0, again.stderr
    assert "CACHED" in again.stderr, "its cache of layers outlives it"
