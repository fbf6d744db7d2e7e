"""Certificates: a deployment does not wait for them and tells which are served, and so does `verify`."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import ROOT, App, run
from tests.e2e.web import Web

SECONDS = 180
TRAEFIK_SECONDS = 10


@pytest.fixture(autouse=True)
def _authority() -> Iterator[None]:
    """Have the lab issue certificates, which it does on demand; lab/tests/test_acme.py takes its turn."""
    with Path(os.environ["LAB_LOGS"]).with_name("acme-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run([str(ROOT / "lab/lab"), "acme", "start"])
        yield
        run([str(ROOT / "lab/lab"), "acme", "stop"])


def issuer(web: Web, host: str) -> str:
    """Return who issued the certificate that a browser is shown, which it trusts."""
    found: dict[str, Any] = dict(web.certificate(host))
    return dict(part[0] for part in found["issuer"])["commonName"] if host in _names(found) else ""


def _names(found: dict[str, Any]) -> set[str]:
    return {value for kind, value in found["subjectAltName"] if kind == "DNS"}


def test_certificates_are_told_and_are_issued_beside_a_deployment(app: App, web: Web) -> None:
    """The first deployment is served with the controller's own, unless its host's was quick; then each has its own."""
    lines = next(step for step in app.deployed()["steps"] if step["name"] == "verify")["details"]
    for host in (app.host, app.api):
        [line] = [line for line in lines if line.startswith(f"certificate of {host} by ")]
        assert ": valid, " in line, line
    ready = ["--for=condition=Ready", f"--timeout={SECONDS}s"]
    run(["kubectl", "-n", app.namespace, "wait", "certificate/planera-tls", *ready])
    end = time.monotonic() + TRAEFIK_SECONDS
    while not all(issuer(web, host).startswith("Pebble Intermediate CA") for host in (app.host, app.api)):
        assert time.monotonic() < end, "Traefik does not serve what was issued"
    verified = app.call("verify", "--env=staging")
    assert verified.code == 0, verified.err[-3000:]
    for host in (app.host, app.api):
        [line] = [line for line in verified.out.splitlines() if f"certificate of {host} by Pebble Interm" in line]
        assert line.endswith(": valid, 89 days left"), line
