"""The kinds of an API version are asked for once, however many objects need them at the same time."""

from __future__ import annotations

from typing import Any

import pytest
from anyio.lowlevel import checkpoint

from planera_ci.cluster.kinds import Kinds
from planera_ci.domain.manifests import Key
from planera_ci.errors import NotFound, Rejected, Unreachable
from planera_ci.tasks import each

_APPS = {
    "resources": [
        {"name": "deployments", "kind": "Deployment", "namespaced": True},
        {"name": "deployments/status", "kind": "Deployment", "namespaced": True},
    ]
}
_MANY = tuple(Key("apps/v1", "Deployment", "n", f"d{number}") for number in range(50))


async def test_many_objects_ask_once() -> None:
    """Those that come while the first one waits for the answer wait for it too."""
    asked: list[str] = []

    async def ask(path: str, _act: str) -> Any:
        asked.append(path)
        await checkpoint()
        return _APPS

    kinds = Kinds()
    paths = await each(_MANY, lambda key: kinds.path(key, ask))
    assert asked == ["/apis/apps/v1"]
    assert paths[_MANY[7]] == "/apis/apps/v1/namespaces/n/deployments/d7"


async def test_who_gets_no_answer_leaves_the_question_to_the_next() -> None:
    """A failure is not taken for an answer; that there is no such version is one."""
    answers: list[Any] = [Unreachable("read", "no answer"), NotFound("read", "it is not there")]

    async def ask(_path: str, _act: str) -> Any:
        raise answers.pop(0)

    kinds = Kinds()
    with pytest.raises(Unreachable):
        await kinds.path(_MANY[0], ask)
    for _ in range(2):
        with pytest.raises(Rejected, match="knows no Deployment in apps/v1"):
            await kinds.path(_MANY[0], ask)
    assert not answers
