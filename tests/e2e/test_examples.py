"""Applications of other shapes than Planera: what deploys them is the same, only their manifests differ."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.example import Example, make_example
from tests.e2e.web import Web

Deployed = Callable[[str], tuple[Example, dict[str, Any]]]
"""Gives an example, deployed once in this file, and the report of that."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Deploy an example once, and return it with the report."""
    apps: dict[str, Example] = {}
    reports: dict[str, dict[str, Any]] = {}

    def one(example: str) -> tuple[Example, dict[str, Any]]:
        if example not in apps:
            apps[example] = make_example(example, f"t{secrets.token_hex(3)}", tmp_path_factory.mktemp(example))
            reports[example] = apps[example].deployed()
        return apps[example], reports[example]

    yield one
    for app in apps.values():
        app.remove()


def step(report: dict[str, Any], name: str) -> str:
    """Return what a report tells of a step."""
    (found,) = (each for each in report["steps"] if each["name"] == name)
    return "\n".join((found["text"], *found["details"]))


def counted(app: Example, web: Web, text: str) -> dict[str, Any]:
    """Post a text through the Ingress, and return what the worker has made of it."""
    status, body = web.ask("POST", app.host, "/api/texts", json.dumps({"text": text}))
    assert status == 202, body
    status, body = web.get(app.host, f"/api/texts/{json.loads(body)['id']}?wait")
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def test_one_component_in_another_language_serves(deployed: Deployed, web: Web) -> None:
    """The clock, on Node.js and without a database, tells the time; there is no Secret but the registry's login."""
    app, report = deployed("clock")
    assert step(report, "test") == "web passed"
    assert "GET /?zone=Asia/Kathmandu 200, GET /?zone=Mars/Base 400" in step(report, "smoke")
    assert step(report, "verify").startswith("web run the published digests; one service has endpoints")
    status, body = web.get(app.host, "/?zone=Asia/Kathmandu")
    answer = json.loads(body)
    assert (status, answer["zone"]) == (200, "Asia/Kathmandu")
    assert datetime.fromisoformat(answer["time"])
    assert web.get(app.host, "/?zone=Mars/Base")[0] == 400
    assert json.loads(web.get(app.host, "/health")[1])["version"].startswith(report["version"])
    assert "Secret/clock-registry" in app.touched()
    assert "Secret/clock-secrets" not in app.touched()


def test_worker_does_what_the_api_was_asked_for(deployed: Deployed, web: Web) -> None:
    """A text that is posted to the API is counted by a worker that has no port; the smoke test has seen it ready."""
    app, report = deployed("words")
    assert "worker ready in " in step(report, "smoke")
    assert "api, web, worker, postgres run the published digests; 3 services" in step(report, "verify")
    assert "<title>Words</title>" in web.get(app.host, "/")[1]
    found = counted(app, web, "To be, or not to be: that's the question. Be!")
    assert found["total"] == 10
    assert found["common"][:2] == [["be", 3], ["to", 2]]
    assert web.ask("POST", app.host, "/api/texts", '{"text": ""}')[0] == 422


@pytest.mark.parametrize("example", ["clock", "words"])
def test_same_state_again_changes_nothing(deployed: Deployed, example: str) -> None:
    """The second deployment of an example builds, publishes and writes nothing."""
    app, _ = deployed(example)
    report = app.deployed()
    assert "built" not in step(report, "build")
    assert step(report, "apply").startswith("0 changed,")


def test_change_of_the_worker_rolls_the_worker_alone(deployed: Deployed, web: Web) -> None:
    """One line of the worker's code is one image and one object; the other pods stay, and the new worker works."""
    app, _ = deployed("words")
    before = {name: app.pods(name) for name in ("api", "web", "worker", "postgres")}
    app.edit("app/worker/worker.py", "MOST = 10", "MOST = 8")
    app.commit("fewer words")
    report = app.deployed()
    assert re.fullmatch(r"api unchanged since \w+, web unchanged since \w+, worker built", step(report, "build"))
    assert step(report, "apply").startswith("1 changed,")
    app.settle()
    after = {name: app.pods(name) for name in before}
    assert {name for name in before if before[name] != after[name]} == {"worker"}
    assert len(counted(app, web, "a b c d e f g h i j")["common"]) == 8


def test_worker_that_ends_at_its_start_is_not_published(deployed: Deployed) -> None:
    """Nobody asks a worker anything: one without a port and without a probe must at least run on."""
    app, _ = deployed("words")
    manifest = app.manifests / "base/worker.yaml"
    bare = re.sub(r"(?s) +# It touches the one.*?(?= +resources:)", "", manifest.read_text())
    assert "Probe" not in bare
    manifest.write_text(bare)
    app.edit("app/worker/worker.py", 'print("waits for texts")', 'raise SystemExit("no queue for me")')
    outcome = app.call("smoke")
    assert outcome.code != 0
    assert "smoke test worker: it ended at its start: exit code 1. Nothing was published." in outcome.message
    assert "no queue for me" in outcome.message
