"""Faults are tried one after the other on one application, which has been deployed once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import App, make_app
from tests.e2e.thrift import USUAL, Thrift
from tests.faults.catalogue import Fault
from tests.faults.trial import Trial, prepare, tried
from tests.needs_lab import demanded, marked


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder as needing the lab."""
    marked(items, Path(__file__).parent)


@pytest.fixture(scope="session", autouse=True)
def lab() -> None:
    """Say what is missing instead of failing in every test."""
    demanded("make faults")


@pytest.fixture(scope="module")
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One application whose good version runs."""
    thrift: Thrift = getattr(request.module, "THRIFT", USUAL)
    made = make_app(f"f{secrets.token_hex(3)}", tmp_path_factory.mktemp("app"), thrift=thrift)
    prepare(made)
    made.deployed()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def trials() -> dict[str, Trial]:
    """Keep every trial for what is claimed of all of them."""
    return {}


@pytest.fixture
def trial(app: App, trials: dict[str, Trial], tmp_path: Path) -> Callable[[Fault], Trial]:
    """Deploy the application with a fault in it."""

    def one(fault: Fault) -> Trial:
        trials[fault.name] = tried(app, fault, tmp_path)
        return trials[fault.name]

    return one
