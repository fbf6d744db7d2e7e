"""No cache stands in for what is done outside: with nothing changed, every step that reaches outside is done anew."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import registry
from tests.e2e.harness import App, run, step


@pytest.fixture(scope="module")
def settled(make: Callable[[], App]) -> App:
    """Return an application that was deployed by the CLI before: whatever the engine keeps of a call is kept."""
    made = make()
    made.deployed()
    app = replace(made, cli=True)
    app.deployed()
    return app


def _kubectl(app: App, *words: str) -> str:
    return run(["kubectl", "-n", app.namespace, *words])


@dataclass(frozen=True)
class Mended:
    """What one more call of the CLI found and did, word for word and byte for byte the same call as before."""

    app: App
    report: dict[str, Any]
    tags: dict[str, str]
    """Of the backend's repository, before somebody took them."""
    transitions: int
    """Of the lease, before the call."""
    asked: int
    """Requests of verifications in the backend's log, before the call."""


@pytest.fixture(scope="module")
def mended(settled: App) -> Mended:
    """Take things from the cluster and tags from the registry, and deploy again."""
    _kubectl(settled, "delete", "service", "frontend")
    _kubectl(settled, "scale", "deployment", "frontend", "--replicas=0")
    where = settled.repository("backend")
    tags = registry.tags(where)
    for tag in _taken(tags):
        registry.plant(where, tag)
    before = tags, _transitions(settled), _verifications(settled)
    return Mended(settled, settled.deployed(), *before)


def _taken(tags: dict[str, str]) -> tuple[str, str]:
    """Return the tag that moves, and the one that says that a release was verified."""
    return "staging-latest", next(tag for tag in tags if tag.endswith("-verified"))


def test_what_somebody_took_from_the_cluster_is_put_back(mended: Mended) -> None:
    """The call finds a cluster that differs and mends it."""
    app, report = mended.app, mended.report
    assert step(report, "smoke")["text"].startswith("not run again")
    assert step(report, "apply")["text"].startswith("2 changed, ")
    assert app.get("services", "frontend")[0]["spec"]["selector"]
    assert app.get("deployments", "frontend")[0]["status"]["readyReplicas"] == 1


def test_tag_that_somebody_took_from_the_registry_is_given_again(mended: Mended) -> None:
    """A tag is looked up and given in every call, although no layer is pushed."""
    now = registry.tags(mended.app.repository("backend"))
    taken = _taken(mended.tags)
    assert {tag: now[tag] for tag in taken} == {tag: mended.tags[tag] for tag in taken}


def test_lock_is_taken_and_the_site_is_asked_in_every_call(mended: Mended) -> None:
    """The lease counts each holder, and the backend's log has each verification's request."""
    assert _transitions(mended.app) == mended.transitions + 1
    assert _verifications(mended.app) > mended.asked


def test_secret_is_read_in_every_call(settled: App, tmp_path: Path) -> None:
    """The file behind a flag holds another value now: that one counts, although the flag is the same."""
    place = tmp_path / "deployer.kubeconfig"
    shutil.copy(settled.kubeconfig, place)
    flags = (f"--kubeconfig=file://{place}",)
    assert settled.call("status", "--env=staging", flags=flags).code == 0
    token = next(line for line in place.read_text().splitlines() if "token:" in line or '"token":' in line)
    other = "x" if token[-12] != "x" else "y"
    place.write_text(place.read_text().replace(token, token[:-12] + other + token[-11:]))
    refused = settled.call("status", "--env=staging", flags=flags)
    assert refused.code != 0
    assert "refused the credentials" in refused.message
    shutil.copy(settled.kubeconfig, place)
    assert settled.call("status", "--env=staging", flags=flags).code == 0


def _transitions(app: App) -> int:
    found = next(lease for lease in app.get("leases") if lease["metadata"]["name"].startswith("planera"))
    return int(found["spec"]["leaseTransitions"])


def _verifications(app: App) -> int:
    log = subprocess.run(
        ["kubectl", "-n", app.namespace, "logs", "deployment/backend", "--tail=-1"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sum("/api/version" in line for line in log.splitlines())
