"""Each verb works alone, as a user types it while working on an application."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e import registry
from tests.e2e.harness import App, dagger


@pytest.fixture(scope="module")
def own(make: Callable[[], App]) -> App:
    return make()


def test_functions_are_listed_with_what_they_do() -> None:
    """`dagger functions` names every verb with one sentence."""
    listed = dagger("functions")
    assert listed.code == 0, listed.err
    for verb in ("build", "deploy", "image", "plan", "publish", "render", "smoke", "status", "test", "verify"):
        assert any(line.startswith(f"{verb} ") and line.endswith(".") for line in listed.out.splitlines()), verb


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("build",), "frontend, backend built"),
        (("test",), "passed"),
        (("smoke",), "backend /health 200"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_verb_works_without_a_cluster_and_touches_nothing(own: App, words: tuple[str, ...], says: str) -> None:
    """Building, testing and smoke-testing need neither registry login nor cluster."""
    outcome = own.call(*words)
    assert outcome.code == 0, outcome.err[-3000:]
    assert set(says.replace(",", "").split()) <= set(outcome.out.replace(",", "").split())
    assert not own.touched()
    assert not registry.has(own.repository("backend"))


def test_publish_gives_the_same_digest_for_the_same_commit(own: App) -> None:
    """Published twice from one commit, an image has one digest, under both of its tags."""
    commit = own.commit("to publish")
    first = own.call("publish", "--env=staging")
    assert first.code == 0, first.err[-3000:]
    digest = registry.digest(own.repository("backend"), f"staging-{commit[:7]}")
    assert digest in first.out
    assert digest == registry.digest(own.repository("backend"), "staging-latest")
    uploads = registry.uploads(own.name)
    second = own.call("publish", "--env=staging")
    assert second.code == 0, second.err[-3000:]
    assert digest in second.out
    assert registry.uploads(own.name) == uploads
    assert not own.touched()


def test_commit_can_be_given_where_the_source_has_no_git(own: App) -> None:
    """Without git, --commit names the release; without either, the message says what to pass."""
    for file in sorted((own.source / ".git").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (own.source / ".git").rmdir()
    refused = own.call("publish", "--env=staging")
    assert refused.code != 0
    assert "pass --commit" in refused.message.lower()
    bad = own.call("publish", "--env=staging", "--commit=main")
    assert 'read --commit "main": it is not a commit' in bad.message
    given = own.call("publish", "--env=staging", "--commit=0123abc")
    assert given.code == 0, given.err[-3000:]
    assert registry.digest(own.repository("backend"), "staging-0123abc")
