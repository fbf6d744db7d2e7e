"""No value of a secret is where it does not belong: planted ones are looked for in all that a user can see."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import planted
from tests.e2e.harness import App, Outcome, run

_PLANTED = {
    "jwt by env": 'env-key/7f3a+"q"-5e21-planted',
    "jwt by file": "file-key-91bc-0d44-planted",
    "password before": "password-there-before-c07e-planted",
    "other secret": "token-of-billing-55aa-f19b-planted",
    "rotated": "rotated-key-2b6d-83fe-planted",
}
_PRINTS = """\
          command: [sh, -c, 'echo "plain $JWT_SECRET $DATABASE_PASSWORD"; printf "x:%s" "$JWT_SECRET" | base64;
            python -c "import json, os; print(json.dumps(json.dumps({\\"key\\": os.environ[\\"JWT_SECRET\\"]})))";
            test -z "$NODE" || exit 7; exec python -m planera_backend']
"""
_START = "          envFrom:\n            - configMapRef:\n                name: planera-config\n"
_NODE = "            - name: NODE\n              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}\n"


@pytest.fixture(scope="module")
def seen(make: Callable[[], App], tmp_path_factory: pytest.TempPathFactory) -> tuple[App, list[tuple[str, bytes]]]:
    """Do all that shows something, with planted values, and return what was shown."""
    app, folder = make(), tmp_path_factory.mktemp("planted")
    key = folder / "key"
    key.write_text(_PLANTED["jwt by file"] + "\n")
    key.chmod(0o600)
    for name, entry in {"planera-secrets": "database-password", "billing-secrets": "token"}.items():
        value = _PLANTED["password before" if name == "planera-secrets" else "other secret"]
        run(["kubectl", "-n", app.namespace, "create", "secret", "generic", name, f"--from-literal={entry}={value}"])
    shown: list[tuple[str, bytes]] = []

    def noted(name: str, outcome: Outcome, *, well: bool = True) -> None:
        assert (outcome.code == 0) is well, outcome.err[-3000:]
        shown.append((name, (outcome.out + outcome.err).encode()))

    by_env, planted_key = ("--jwt=env://PLANTED_KEY",), {"PLANTED_KEY": _PLANTED["jwt by env"]}
    noted("deploy by env", app.deploy(flags=by_env, env=planted_key))
    noted("plan", app.call("plan", "--env=staging"))
    noted("deploy by file", app.deploy(flags=(f"--jwt=file://{key}",)))
    noted("rotate", app.call(*_ROTATE, env={"PLANTED_KEY": _PLANTED["rotated"]}))
    app.edit("k8s/base/backend.yaml", _START, _PRINTS + _START)
    app.edit("k8s/base/backend.yaml", "          env:\n", "          env:\n" + _NODE)
    failed = app.deploy("--rollback=false", flags=by_env, env=planted_key)
    noted("failing deploy", failed, well=False)
    assert "exited twice" in failed.message
    noted("logs", app.call("logs", "--env=staging", "--component=backend"))
    noted("rollback", app.call("rollback", "--env=staging"))
    for verb in ("history", "status", "verify"):
        noted(verb, app.call(verb, "--env=staging"))
    noted("evidence", app.call("evidence", "--env=staging", "-o", str(folder / "evidence")))
    files = (file for file in (folder / "evidence").rglob("*") if file.is_file())
    shown.extend((str(file.relative_to(folder)), file.read_bytes()) for file in files)
    return app, shown


_ROTATE = ("rotate", "--env=staging", "--secret=jwt-secret", "--value=env://PLANTED_KEY")


def _all(app: App) -> dict[str, str]:
    """Return what was planted, what the pipeline made up, and the registry's own token."""
    secret = app.get("secret", "planera-secrets")[0]["data"]
    live = {f"live {key}": base64.b64decode(value).decode() for key, value in secret.items()}
    return {**_PLANTED, **live, "token": Path(os.environ["LAB_REGISTRY_PASSWORD_FILE"]).read_text().strip()}


def test_planted_values_would_be_found(seen: tuple[App, list[tuple[str, bytes]]]) -> None:
    """The search finds what is there: in the Secrets, and in a log as kubectl shows it."""
    app, shown = seen
    secret = json.dumps(app.get("secret", "planera-secrets")[0]).encode()
    assert "rotated" in planted.found_in(secret, _PLANTED)
    assert "password before" in planted.found_in(secret, _PLANTED)
    log = next(data for name, data in shown if name.startswith("evidence/logs/backend"))
    assert b"plain *** ***" in log
    assert log.count(b"***") >= 4, log.decode()


def test_no_output_and_no_evidence_shows_a_value(seen: tuple[App, list[tuple[str, bytes]]]) -> None:
    """Every verb's output and progress, and every file of the evidence."""
    app, shown = seen
    values = _all(app)
    assert len(shown) > 12
    assert not {name: hits for name, data in shown if (hits := planted.found_in(data, values))}


def test_no_object_but_a_secret_holds_a_value(seen: tuple[App, list[tuple[str, bytes]]]) -> None:
    """Every object of the namespace, with what is compressed in it and who has set which field."""
    app, _ = seen
    values, objects = _all(app), list(planted.objects(app.namespace))
    kinds = {name.partition("/")[0] for name, _ in objects}
    assert {"configmaps", "leases.coordination.k8s.io", "events", "pods", "deployments.apps"} <= kinds
    assert not {name: hits for name, data in objects if (hits := planted.found_in(data, values))}


def test_no_published_image_holds_a_value(seen: tuple[App, list[tuple[str, bytes]]]) -> None:
    """Every manifest, configuration and layer, unpacked."""
    app, _ = seen
    values, parts = _all(app), dict(planted.images(app, ("backend", "frontend")))
    assert len(parts) > 8
    assert not {name: hits for name, data in parts.items() if (hits := planted.found_in(data, values))}
