"""Every test here runs the real CLI against the lab: engine, registry and cluster."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import App, make_app
from tests.e2e.web import Web
from tests.needs_lab import demanded, marked


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder as needing the lab."""
    marked(items, Path(__file__).parent)


@pytest.fixture(scope="session", autouse=True)
def lab() -> None:
    """Say what is missing instead of failing in every test."""
    demanded("make e2e")


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], App]]:
    """Make applications with a namespace, hosts and a registry prefix of their own."""
    made: list[App] = []

    def one() -> App:
        made.append(_fresh(tmp_path_factory))
        return made[-1]

    yield one
    for app in made:
        app.remove()


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One fresh application, which is gone after its test."""
    made = _fresh(tmp_path_factory)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def web() -> Web:
    """Reach the lab's ingress as a browser does."""
    return Web()


def _fresh(folders: pytest.TempPathFactory) -> App:
    return make_app(f"t{secrets.token_hex(3)}", folders.mktemp("app"))
