"""A release as something to bring an environment to, and what of a killed run is to be undone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from planera_ci.cluster.secrets import decoded, registry_secret, secret
from planera_ci.cluster.watch import Live
from planera_ci.domain.history import History, Outcome, Record
from planera_ci.domain.manifests import Key
from planera_ci.mending import to_undo
from planera_ci.restoration import Target, earlier, running_jobs

Like = Callable[[str], Any]


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("value", "text"),
    [(_encoded("hunter2"), "hunter2"), (_encoded("zwölf\n"), "zwölf\n"), ("", ""), ("/w==", ""), ("no base64", "")],
    ids=["text", "letters", "empty", "no-text", "no-base64"],
)
def test_value_of_a_secret_is_text_or_nothing(value: str, text: str) -> None:
    """What is no text cannot turn up in text, and is not looked for."""
    assert decoded(value) == text


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ({"jwt-secret": 1}, {"jwt-secret": "b2xk"}),
        ({"jwt-secret": 2, "database-password": 1}, {"jwt-secret": "bmV3", "database-password": "cGFzcw=="}),
        ({"jwt-secret": 3}, {}),
        ({}, {}),
    ],
    ids=["the-first", "each-its-own", "gone", "none"],
)
def test_values_of_a_revision_are_found_by_their_numbers(versions: dict[str, int], found: dict[str, str]) -> None:
    """A record names its values; a value that is not kept any more is not made up."""
    stored = {"jwt-secret.1": "b2xk", "jwt-secret.2": "bmV3", "database-password.1": "cGFzcw=="}
    assert earlier(stored, versions) == found


def test_target_hides_every_value_that_it_writes() -> None:
    """The values of the Secrets, the registry's login among them, are known to whoever masks."""
    own = (
        secret("n", "planera-secrets", "Opaque", {"jwt-secret": _encoded("hunter2"), "empty": ""}, {}),
        registry_secret("n", "planera-registry", "ghcr.io", "ci", "ghp_token", {}),
    )
    target = Target("a1b2c3d", {}, ({"kind": "Service"},), own, {}, ())
    hidden = target.hidden()
    assert "hunter2" in hidden
    assert "" not in hidden
    assert any("ghp_token" in value for value in hidden)
    assert target.everything == ({"kind": "Service"}, *own)


async def test_jobs_that_have_not_ended_are_stopped(like: Like) -> None:
    """Of the Jobs that a release may have left, those are named that may still change something."""
    job = like("job")

    def named(name: str, **status: Any) -> Any:
        return {**job, "metadata": {**job["metadata"], "name": name}, "status": status}

    live = Live()
    over = {"Complete": "True", "Failed": "True"}
    jobs = [named(kind.lower(), conditions=[{"type": kind, "status": value}]) for kind, value in over.items()]
    jobs += [
        named("running", active=1),
        named("fresh"),
        named("doubt", conditions=[{"type": "Failed", "status": "False"}]),
    ]
    live.replace("Job", [*jobs, named("others")])
    keys = [Key.of(obj) for obj in jobs] + [
        Key("batch/v1", "Job", "planera-staging", "gone"),
        Key("v1", "Pod", "", "p"),
    ]
    assert {key.name for key in running_jobs(live, keys)} == {"running", "fresh", "doubt"}


@pytest.mark.parametrize(
    ("outcomes", "version", "undone"),
    [
        ((), "v2", False),
        ((Outcome.SUCCEEDED,), "v2", False),
        ((Outcome.SUCCEEDED, Outcome.RUNNING), "v9", True),
        ((Outcome.SUCCEEDED, Outcome.RUNNING), "v2", False),
        ((Outcome.SUCCEEDED, Outcome.RUNNING), "", True),
        ((Outcome.RUNNING,), "v9", False),
        ((Outcome.SUCCEEDED, Outcome.FAILED), "v9", False),
        ((Outcome.RUNNING, Outcome.SUCCEEDED), "v9", False),
    ],
    ids=["empty", "good", "killed", "same-again", "rolled-back", "nothing-good", "failed", "mended"],
)
def test_what_a_killed_run_left_is_undone_unless_the_same_finishes_it(
    like: Like, outcomes: tuple[Outcome, ...], version: str, *, undone: bool
) -> None:
    """There must be a good revision to go back to, and another version to come."""
    records = (
        Record(**{**like("record"), "revision": number, "version": f"v{number}", "outcome": outcome})
        for number, outcome in enumerate(outcomes, 1)
    )
    assert to_undo(History.of(records), version) is undone
