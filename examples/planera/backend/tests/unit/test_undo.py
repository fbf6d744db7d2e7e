"""Undo tokens: ours, whole and fresh, or refused."""

import json
from datetime import UTC, datetime

import pytest

from planera_backend import undo
from planera_backend.tasks import Task

TASK = Task(7, "Water the plants", None, False, datetime(2026, 1, 1, tzinfo=UTC))
TOKEN = undo.token_of(TASK, "key", now=1000)


def test_a_token_brings_the_task_back():
    """Up to its last second."""
    assert undo.task_of(TOKEN, ["key"], now=1000 + undo.LIFETIME) == TASK


def test_an_old_token_is_refused():
    """One second later."""
    with pytest.raises(undo.InvalidToken, match="expired"):
        undo.task_of(TOKEN, ["key"], now=1001 + undo.LIFETIME)


def forged() -> str:
    """Return our token with another task and the old signature."""
    header, _, signature = TOKEN.split(".")
    return f"{header}.{undo.encoded({'aud': 'undo', 'exp': 9e9, 'task': {}})}.{signature}"


def other_audience() -> str:
    """Return a well-signed token made for something else."""
    body = f"{undo.encoded(undo.HEADER)}.{undo.encoded({'aud': 'session', 'exp': 9e9})}"
    return f"{body}.{undo.signature(body, 'key')}"


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "…", TOKEN[:-1], TOKEN.rpartition(".")[0] + ".", forged(), other_audience()]
)
def test_foreign_tokens_are_refused(token):
    """Whatever is wrong, the answer is the same."""
    with pytest.raises(undo.InvalidToken, match="not valid"):
        undo.task_of(token, ["key"], now=1000)


def test_another_secret_refuses():
    """A token of another environment is no token here."""
    with pytest.raises(undo.InvalidToken):
        undo.task_of(TOKEN, ["other"], now=1000)


def test_a_token_of_the_key_before_is_accepted():
    """While the key is changed, some pods sign with one and some with the other."""
    for secrets in (["key", "next"], ["next", "key"]):
        assert undo.task_of(TOKEN, secrets, now=1000) == TASK


def test_it_is_a_plain_jwt():
    """Any JWT library can read it."""
    header, claims, _ = (TOKEN.split(".")[i] for i in range(3))

    assert json.loads(undo.decoded(header)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(undo.decoded(claims))["task"]["title"] == "Water the plants"
