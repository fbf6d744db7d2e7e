"""Watches go on after what ends them: a version that is too old, and an API server that goes away."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from planera_ci.cluster.client import Cluster, connect
from planera_ci.cluster.watch import Live, _stream, watching
from planera_ci.domain.manifests import Key
from tests.e2e.harness import ROOT, deployer_of, run

_SECONDS = 90
_KIND = ("v1", "PersistentVolumeClaim")


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[str]:
    """Make a namespace."""
    name = f"planera-watch-{secrets.token_hex(3)}"
    deployer_of(name, tmp_path)
    yield name
    run(["kubectl", "delete", "namespace", name, "--wait=false"])


@pytest.fixture
def cluster(namespace: str, tmp_path: Path) -> Cluster:  # noqa: ARG001 - the namespace's account
    """Open the lab's cluster as a deployment does."""
    opened = connect((tmp_path / "deployer.kubeconfig").read_text())
    opened.patience = 60
    return opened


def _make(namespace: str, name: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    meta = {"name": name, "namespace": namespace}
    obj = {"apiVersion": _KIND[0], "kind": _KIND[1], "metadata": meta, "spec": spec}
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(obj), text=True, check=True, capture_output=True)


async def _seen(live: Live, namespace: str, name: str) -> None:
    with anyio.fail_after(_SECONDS):
        while live.get(Key(*_KIND, namespace, name)) is None:
            await live.change()


async def test_watch_from_a_version_that_is_gone_ends_so_that_all_is_listed_again(
    cluster: Cluster, namespace: str
) -> None:
    """The API server answers 410 Gone for a version that it does not have; that is no error of the deployment."""
    # One that starts knows of no version before its start.
    await anyio.to_thread.run_sync(run, [str(ROOT / "lab/lab"), "fault", "restart", "apiserver"])
    path = await cluster.path(Key(*_KIND, namespace, ""))
    with anyio.fail_after(_SECONDS):
        assert await _stream(cluster, Live(), path, "1") == ""


async def test_watch_outlives_the_api_server(cluster: Cluster, namespace: str) -> None:
    """What is made after a restart of the API server is seen, without anyone asking again."""
    async with watching(cluster, namespace, (_KIND,)) as live:
        _make(namespace, "before")
        await _seen(live, namespace, "before")
        await anyio.to_thread.run_sync(run, [str(ROOT / "lab/lab"), "fault", "restart", "apiserver"])
        _make(namespace, "after")
        await _seen(live, namespace, "after")
