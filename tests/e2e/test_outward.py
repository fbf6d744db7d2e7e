"""No cache stands in for what is done outside: with nothing changed, every step that reaches outside is done anew."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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


def test_what_somebody_took_from_the_cluster_is_put_back(settled: App) -> None:
    """The same call as before, word for word and byte for byte, finds a cluster that differs and mends it."""
    _kubectl(settled, "delete", "service", "frontend")
    _kubectl(settled, "scale", "deployment", "frontend", "--replicas=0")
    report = settled.deployed()
    assert step(report, "smoke")["text"].startswith("not run again")
    assert step(report, "apply")["text"].startswith("2 changed, ")
    assert settled.get("services", "frontend")[0]["spec"]["selector"]
    assert settled.get("deployments", "frontend")[0]["status"]["readyReplicas"] == 1


def test_tag_that_somebody_took_from_the_registry_is_given_again(settled: App) -> None:
    """A tag is looked up and given in every call, although no layer is pushed."""
    where = settled.repository("backend")
    there = registry.tags(where)
    moving, verified = "staging-latest", next(tag for tag in there if tag.endswith("-verified"))
    registry.plant(where, moving)
    registry.plant(where, verified)
    settled.deployed()
    now = registry.tags(where)
    assert {tag: now[tag] for tag in (moving, verified)} == {tag: there[tag] for tag in (moving, verified)}


def test_lock_is_taken_and_the_site_is_asked_in_every_call(settled: App) -> None:
    """The lease counts each holder, and the frontend's log has each verification's request."""
    before, asked = _transitions(settled), _verifications(settled)
    settled.deployed()
    assert _transitions(settled) == before + 1
    assert _verifications(settled) > asked


def test_secret_is_read_in_every_call(settled: App, tmp_path: Path) -> None:
    """The file behind a flag holds another value now: that one counts, although the flag is the same."""
    place = tmp_path / "deployer.kubeconfig"
    shutil.copy(settled.kubeconfig, place)
    flags = (f"--kubeconfig=file://{place}",)
    assert settled.call("status", "--env=staging", flags=flags).code == 0
    token = next(line for line in place.read_text().splitlines() if "token:" in line or '"token":' in line)
    place.write_text(place.read_text().replace(token, token[:-12] + "x" + token[-11:]))
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
