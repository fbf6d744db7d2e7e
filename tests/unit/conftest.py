"""Cases as YAML, and a guard: nothing here reaches a network.

A test that takes `case` and is marked `@pytest.mark.cases("images/reference")` runs once for each YAML
document of data/images/reference.yaml and of data/images/reference/*.yaml. A document states its
`claim`, which names it unless it has a file of its own; the rest is the test's. A mapping with
`like: NAME` is laid over data/objects/NAME.yaml.
"""

from __future__ import annotations

import copy
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

_DATA = Path(__file__).parent / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "cases(topic): run once for each YAML case of a topic")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test its cases."""
    marker = metafunc.definition.get_closest_marker("cases")
    if marker:
        found = cases(marker.args[0])
        metafunc.parametrize("case", [case for _, case in found], ids=[name for name, _ in found])


def cases(topic: str) -> list[tuple[str, Any]]:
    """Return a topic's cases with their names; a topic without any is a mistake."""
    single = _DATA / f"{topic}.yaml"
    files = ([single] if single.exists() else []) + sorted((_DATA / topic).glob("*.yaml"))
    found = []
    for file in files:
        several = tuple(documents(file))
        for case in several:
            name = file.stem if len(several) == 1 and file != single else case["claim"]
            found.append((name.replace(" ", "-"), resolved(case)))
    assert found, f"no case in {topic}"
    return found


def resolved(value: Any) -> Any:
    """Replace each mapping that is `like` a stored object by that object with its own fields over it."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    own = {name: resolved(item) for name, item in value.items() if name != "like"}
    if "like" not in value:
        return own
    return laid_over(stored(value["like"]), own)


@cache
def stored(name: str) -> Any:
    """Return an object of data/objects; what it is like is resolved too."""
    return resolved(next(documents(_DATA / "objects" / f"{name}.yaml")))


def documents(file: Path) -> Iterator[Any]:
    """Read a file of YAML documents, by the C library where there is one."""
    yield from yaml.load_all(file.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def laid_over(base: Any, over: Any) -> Any:
    """Merge mappings field by field; a list or a plain value replaces, null removes."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    merged = {**copy.deepcopy(base), **{name: laid_over(base.get(name), item) for name, item in over.items()}}
    return {name: item for name, item in merged.items() if item is not None}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a unit test must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="session")
def like() -> Callable[[str], Any]:
    """Return a stored object by its name."""
    return lambda name: resolved({"like": name})


@pytest.fixture
def refusal(request: pytest.FixtureRequest) -> Callable[[type[Exception]], AbstractContextManager[object]]:
    """Expect the `error` of a case, in these words; a case without one must raise nothing."""
    case = request.getfixturevalue("case")
    return lambda kind: pytest.raises(kind, match=re.escape(case["error"])) if "error" in case else nullcontext()
