"""Values of the application's Secret are replaced while it serves, and never come back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.harness import App
from tests.e2e.undoing import Undoing
from tests.e2e.web import Web

_KEY, _PASSWORD, _LEAKED = "jwt-secret", "database-password", "signing-key-4b7d-after-the-leak"
_START = "          envFrom:\n            - configMapRef:\n                name: planera-config\n"
_CHOOSY = (
    '          command: [sh, -c, \'case "$JWT_SECRET $DATABASE_PASSWORD" in *breaks*) exit 7;; esac;'
    " exec python -m planera_backend']\n"
)


@pytest.fixture(scope="module")
def own(make: Callable[[], App]) -> App:
    """Deploy a release whose pods do not start with certain values."""
    app = make()
    app.edit("k8s/base/backend.yaml", _START, _CHOOSY + _START)
    app.deployed()
    return app


def _rotate(app: App, key: str, *words: str, value: str = "") -> dict[str, Any]:
    """Rotate, expect success, and return the report; no value is in what was printed."""
    given = ("--value=env://NEW_VALUE",) if value else ()
    before = _values(app)
    outcome = app.call(
        "rotate", "--env=staging", f"--secret={key}", "--shown=json", *given, *words, env={"NEW_VALUE": value}
    )
    assert outcome.code == 0, outcome.err[-4000:]
    for held in (*before.values(), *_values(app).values()):
        assert held not in outcome.out + outcome.err
    report: dict[str, Any] = json.loads(outcome.out)
    return report


def _values(app: App, name: str = "planera-secrets") -> dict[str, str]:
    data = app.get("secret", name)[0]["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def _records(app: App) -> list[dict[str, Any]]:
    outcome = app.call("history", "--env=staging", "--shown=json")
    assert outcome.code == 0, outcome.err[-3000:]
    records: list[dict[str, Any]] = json.loads(outcome.out)
    return records


def test_both_values_are_rotated_under_load_and_no_request_is_lost(own: App, web: Web) -> None:
    """Pods of both generations serve, sign, verify and log in to the database; the database itself is not restarted."""
    before, database = _values(own), own.pods("postgres")
    with Undoing(web, own.api) as load:
        report = _rotate(own, _KEY)
        _rotate(own, _PASSWORD, value="new-database-password-93c1")
    assert not load.lost, load.lost[:10]
    assert load.done > 100
    assert report["notes"] == ["jwt-secret rotated"]
    after = _values(own)
    assert after[_KEY] != before[_KEY]
    assert after[f"{_KEY}-previous"] == before[_KEY]
    assert after[_PASSWORD] == "new-database-password-93c1"
    assert own.enters(after[_PASSWORD])
    assert not own.enters(before[_PASSWORD])
    assert own.pods("postgres") == database
    rotated = [record["rotates"] for record in _records(own)]
    assert rotated == [_PASSWORD, f"{_PASSWORD}-previous", _KEY, f"{_KEY}-previous", ""]
    assert f"{_KEY} rotated" in own.call("history", "--env=staging").out


def test_value_with_which_pods_do_not_start_leaves_the_one_before_in_force(own: App, web: Web) -> None:
    """A failure is told and rolled back as that of a deployment is; the database takes the password before again."""
    before = _values(own)
    for key in (_KEY, _PASSWORD):
        with Undoing(web, own.api) as load:
            outcome = own.call(
                *("rotate", "--env=staging", f"--secret={key}", "--value=env://NEW_VALUE"),
                env={"NEW_VALUE": f"this-breaks-{key}"},
            )
        assert outcome.code != 0
        assert f"rotate {key} of planera in staging: deployment/backend: crash" in outcome.message
        assert "Rolled back to revision" in outcome.message
        assert "this-breaks" not in outcome.out + outcome.err
        assert not load.lost, load.lost[:10]
        after = _values(own)
        assert {name: after[name] for name in (_KEY, _PASSWORD)} == {name: before[name] for name in (_KEY, _PASSWORD)}
        newest = _records(own)[0]
        assert (newest["outcome"], newest["rotates"]) == ("rolled back", key)
    assert own.enters(before[_PASSWORD])
    assert not own.enters(f"this-breaks-{_PASSWORD}")


def test_killed_rotation_is_undone_by_the_next_deployment_or_rotation(own: App, web: Web) -> None:
    """Whoever comes next puts the value before into force again, in the database too."""
    before = _values(own)
    own.killed("job/database-password replaced", "rotate", "--env=staging", f"--secret={_PASSWORD}")
    own.deployed("--wait=60")
    assert _values(own)[_PASSWORD] == before[_PASSWORD]
    assert own.enters(before[_PASSWORD])
    assert _records(own)[0]["rotates"] == "" or _records(own)[0]["outcome"] == "interrupted"
    own.killed("secret/planera-secrets updated", "rotate", "--env=staging", f"--secret={_KEY}")
    with Undoing(web, own.api) as load:
        _rotate(own, _KEY, "--wait=60")
    assert not load.lost, load.lost[:10]
    assert _values(own)[_KEY] != before[_KEY]
    assert _values(own)[f"{_KEY}-previous"] == before[_KEY]


def test_rotated_value_never_comes_back_and_can_be_dropped(own: App, web: Web) -> None:
    """After a leak: a new value, the old one refused; no rollback brings it back, and none is kept."""
    users, before = Undoing(web, own.api), _values(own)
    token = users.deleted()[0]
    report = _rotate(own, _KEY, "--drop", value=_LEAKED)
    assert report["notes"] == ["jwt-secret: the value before is dropped"]
    own.settle()  # the last pods that accept it are on their way out
    assert not users.restored(token), "what was signed with the leaked key is refused"
    own.edit("app/backend/planera_backend/__main__.py", "async def serve", "# another release\nasync def serve")
    own.commit("another release")
    own.deployed()
    records = _records(own)
    oldest = min(record["revision"] for record in records if record["outcome"] == "succeeded")
    back = own.call("rollback", "--env=staging", f"--to={oldest}")
    assert back.code == 0, back.err[-3000:]
    after = _values(own)
    assert (after[_KEY], f"{_KEY}-previous" in after) == (_LEAKED, False)
    assert after[_PASSWORD] == before[_PASSWORD]
    assert before[_KEY] not in _values(own, "planera-secrets-history").values()
    assert users.restored(users.deleted()[0])
    refused = own.call("rotate", "--env=staging", f"--secret={_KEY}-previous", "--drop")
    assert "nothing is accepted beside jwt-secret" in refused.message


def test_what_cannot_be_rotated_is_refused_with_what_to_do(own: App) -> None:
    """A wrong key, a value that is not new, and production without its phrase change nothing."""
    before = _values(own)
    for words, told in {
        ("--env=staging", "--secret=jwt"): "no such key. Choose one of database-password, jwt-secret",
        ("--env=staging", f"--secret={_KEY}", "--value=env://NEW_VALUE"): "--value is the value in force",
        ("--env=production", f"--secret={_KEY}"): f"--secret {_KEY} --confirm rotate-production",
    }.items():
        outcome = own.call("rotate", *words, env={"NEW_VALUE": before[_KEY]})
        assert outcome.code != 0
        assert told in outcome.message, outcome.message[-2000:]
    assert _values(own) == before
