"""The way back: by itself after a failure, by hand to any good revision, and what is kept to look at."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import App, run
from tests.e2e.thrift import SHARE
from tests.e2e.web import Web

_FIRST, _SECOND = "first-signing-key-7f3a", "second-signing-key-91bc"
_START = "backend/planera_backend/__main__.py"


@pytest.fixture(scope="module")
def own(make: Callable[[], App]) -> App:
    """Deploy two good revisions: other code, other settings, another signing key."""
    app = make()
    _deployed(app, _FIRST)
    app.edit("k8s/staging/kustomization.yaml", "LOG_LEVEL=debug", "LOG_LEVEL=info")
    _add(app, "# a second version\n")
    _deployed(app, _SECOND)
    return app


def _add(app: App, code: str) -> str:
    """Change both components."""
    script = f'document.documentElement.dataset.changed = "{code.strip()}";\n'
    for path, text in ((_START, code), ("frontend/src/main.js", script)):
        file = app.source / path
        file.write_text(file.read_text() + text)
    return app.commit("changed")


def _deployed(app: App, key: str) -> dict[str, Any]:
    return app.deploy("--shown=json", flags=("--jwt=env://SIGNING_KEY",), env={"SIGNING_KEY": key}).report()


def _state(app: App) -> tuple[str, str, str, str]:
    """Return the backend's image, the log level that it is given, the signing key in the cluster, the page's image."""
    workloads = {o["metadata"]["name"]: o for o in app.get("deployments")}
    container, page = (workloads[name]["spec"]["template"]["spec"]["containers"][0] for name in ("backend", "frontend"))
    settings = {o["metadata"]["name"]: o.get("data", {}) for o in app.get("configmaps")}
    level = next(settings[ref["configMapRef"]["name"]].get("LOG_LEVEL", "") for ref in container["envFrom"])
    secret = next(o for o in app.get("secrets") if o["metadata"]["name"] == "planera-secrets")
    return container["image"], level, base64.b64decode(secret["data"]["jwt-secret"]).decode(), page["image"]


def _history(app: App) -> list[dict[str, Any]]:
    outcome = app.call("history", "--env=staging", "--shown=json")
    assert outcome.code == 0, outcome.err[-3000:]
    records: list[dict[str, Any]] = json.loads(outcome.out)
    return records


def test_rollback_puts_code_settings_and_secrets_back_and_forth(own: App, web: Web) -> None:
    """A rollback is of the whole release, pods read the secret that belongs to it, and it can itself be undone."""
    second = _state(own)
    assert (second[1], second[2]) == ("info", _SECOND)
    pods = own.pods("backend")
    outcome = own.call("rollback", "--env=staging")
    assert outcome.code == 0, outcome.err[-3000:]
    assert "revision 1 put back" in outcome.out
    first = _state(own)
    assert (first[1], first[2]) == ("debug", _FIRST)
    assert first[0] != second[0]
    assert first[3] != second[3], "both components are another version, and both came back"
    assert not set(pods) & set(own.pods("backend"))
    again = own.call("rollback", "--env=staging", "--to=2", "--shown=json")
    assert again.code == 0, again.err[-3000:]
    assert json.loads(again.out)["verdict"]["reason"] == ""
    assert _state(own) == second
    assert web.get(own.api, "/health")[0] == 200
    newest = _history(own)[0]
    assert (newest["outcome"], newest["restores"]) == ("succeeded", 2)


def test_failure_is_rolled_back_and_its_evidence_hides_every_secret(own: App, tmp_path: Path) -> None:
    """Deployment, verdict, evidence, rollback: all told in one message, all kept, no secret in any of it."""
    before = _state(own)
    _add(own, "# prints what it must not\n")
    own.edit(
        "k8s/base/backend.yaml",
        "          env:\n",
        '          command: [sh, -c, \'echo key $JWT_SECRET password $DATABASE_PASSWORD; test -z "$NODE" || exit 7;'
        " exec python -m planera_backend']\n          env:\n            - name: NODE\n"
        "              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}\n",
    )
    third = "third-signing-key-55aa"
    outcome = own.deploy(flags=("--jwt=env://SIGNING_KEY",), env={"SIGNING_KEY": third})
    assert outcome.code != 0
    for words in ("deployment/backend: crash", "exited twice, last with code 7", "Rolled back to revision", "verified"):
        assert words in outcome.message, words
    assert _state(own) == before
    exported = own.call("evidence", "--env=staging", "-o", str(tmp_path / "evidence"))
    assert exported.code == 0, exported.err[-3000:]
    files = {str(f.relative_to(tmp_path)): f.read_text() for f in (tmp_path / "evidence").rglob("*") if f.is_file()}
    password = next(o for o in own.get("secrets") if o["metadata"]["name"] == "planera-secrets")["data"]
    planted = [third, before[2], base64.b64decode(password["database-password"]).decode()]
    planted += [base64.b64encode(value.encode()).decode() for value in planted]
    seen = {**files, "output": outcome.out + outcome.err, "history": json.dumps(_history(own))}
    assert not [(name, value) for name, text in seen.items() for value in planted if value in text]
    log = next(text for name, text in files.items() if "/logs/backend" in name)
    assert "key *** password ***" in log
    report = json.loads(files["evidence/report.json"])
    assert report["outcome"] == "rolled back"
    assert report["rollback"]["verified"] is True
    assert "deployment/backend" in files["evidence/plan.diff"]
    assert "verdict: deployment/backend: crash" in files["evidence/timeline.txt"]
    assert "rollback is done" in files["evidence/timeline.txt"]
    own.edit("k8s/base/backend.yaml", "exit 7", "exit 8")


def test_failure_that_is_to_be_looked_at_stays_and_is_put_back_by_hand(own: App) -> None:
    """With --rollback=false the failure is left; status tells it, logs show it, rollback ends it; keys by hand stay."""
    before, mine = _state(own), ["kubectl", "-n", own.namespace]
    key = " ".join([*mine, "create secret generic planera-secrets --from-literal=smtp-password=mine --dry-run=client"])
    run(["sh", "-c", f"{key} -o yaml | {' '.join(mine)} apply -f -"])
    outcome = own.deploy("--rollback=false")
    assert outcome.code != 0
    assert "`dagger call rollback --env staging` puts revision" in outcome.message
    assert _state(own)[0] != before[0]
    status = own.call("status", "--env=staging")
    assert "failed: crash: deployment/backend" in status.out
    logs = own.call("logs", "--env=staging", "--component=backend", "--lines=5")
    assert "(its run before)" in logs.out, logs.err[-2000:]
    assert "==> postgres-0 postgres <==" in own.call("logs", "--env=staging", "--component=postgres").out
    back = own.call("rollback", "--env=staging")
    assert back.code == 0, back.err[-3000:]
    assert _state(own) == before
    assert "smtp-password" in own.get("secrets", "planera-secrets")[0]["data"], "what a person put there stays"
    refused = own.call("rollback", "--env=staging", "--to=99")
    assert "there is no revision 99" in refused.message


def test_what_was_changed_by_hand_is_shown_and_put_back(own: App) -> None:
    """`plan` tells what differs from the release that runs, and its own revision puts that back."""
    good = next(record["revision"] for record in _history(own) if record["outcome"] == "succeeded")
    lowered = ["--limits=memory=200Mi", "--requests=memory=64Mi"]
    run(["kubectl", "-n", own.namespace, "set", "resources", "deployment/backend", *lowered])
    assert "resources.limits.memory: 200Mi → 256Mi" in own.call("plan", "--env=staging").out
    back = own.call("rollback", "--env=staging", f"--to={good}")
    assert back.code == 0, back.err[-3000:]
    (container,) = own.get("deployments", "backend")[0]["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "256Mi"


def test_first_deployment_that_fails_is_left_with_its_evidence_and_mended_by_the_next(make: Callable[[], App]) -> None:
    """Where nothing good is there to go back to, the message says so; the next good one needs no cleaning up."""
    app = make()
    path = "k8s/base/backend.yaml"
    app.edit(path, f"cpu: {SHARE}", "cpu: 64")
    app.edit(path, "  annotations:\n", "  annotations:\n    planera-ci/grace: '2'\n")
    outcome = app.deploy()
    assert outcome.code != 0
    assert "deployment/backend: scheduling" in outcome.message
    assert "no good revision to roll back to" in outcome.message
    app.edit(path, "cpu: 64", f"cpu: {SHARE}")
    assert app.deployed()["outcome"] == "succeeded"
