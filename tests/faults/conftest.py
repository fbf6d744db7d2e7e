"""The faults are tried before the first of them is judged, each on an application that its lane has deployed once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.e2e.harness import App, make_app
from tests.faults.catalogue import Fault, faults
from tests.faults.meanwhile import ACTIONS
from tests.faults.trial import Trial, prepare, tried
from tests.needs_lab import demanded, marked

LANES = 1
"""Each counts seconds: of three beside each other one was told after 5.2 s, of which the others' work was the most."""
Trials = dict[str, Future[Trial]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder as needing the lab."""
    marked(items, Path(__file__).parent)


@pytest.fixture(scope="session", autouse=True)
def lab() -> None:
    """Say what is missing instead of failing in every test."""
    demanded("make faults")


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleQueue[App]]:
    """Applications whose good version runs; who takes one has it alone until it is put back."""
    apps = [make_app(f"f{secrets.token_hex(3)}", tmp_path_factory.mktemp("app")) for _ in range(LANES)]
    free = SimpleQueue[App]()
    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(_begun, apps))
    for app in apps:
        free.put(app)
    yield free
    for app in apps:
        app.remove()


def _begun(app: App) -> None:
    prepare(app)
    app.deployed()


@pytest.fixture(scope="module")
def trials(request: pytest.FixtureRequest, lanes: SimpleQueue[App], tmp_path_factory: pytest.TempPathFactory) -> Trials:
    """Try each fault that a chosen test is about; what happens to all of the lab happens to one application alone."""
    chosen = _chosen(request.session.items, Path(__file__).parent)

    def one(fault: Fault) -> Trial:
        app = lanes.get()
        try:
            return tried(app, fault, tmp_path_factory.mktemp("trial"))
        finally:
            lanes.put(app)

    found: Trials = {}
    around = [fault for fault in chosen if fault.during in ACTIONS]
    for at_once, some in ((LANES, _own(chosen)), (1, around)):
        with ThreadPoolExecutor(at_once) as pool:
            found |= {fault.name: pool.submit(one, fault) for fault in some}
    return found


def _chosen(items: list[pytest.Item], folder: Path) -> list[Fault]:
    """Return the faults that the collected tests of a folder name; one that names none is about all of them."""
    named: set[str] = set()
    everything = faults()
    for item in items:
        if folder not in item.path.parents:
            continue
        params = getattr(getattr(item, "callspec", None), "params", {})
        about = params.get("fault") or params.get("name")
        if about is None:
            return everything
        named.add(about.name if isinstance(about, Fault) else about)
    return [fault for fault in everything if fault.name in named]


def _own(chosen: list[Fault]) -> list[Fault]:
    """Return the faults that break nothing around their application, those that are waited for longest first."""
    return sorted((fault for fault in chosen if fault.during not in ACTIONS), key=lambda fault: -fault.grace)


@pytest.fixture
def trial(trials: Trials) -> Callable[[Fault], Trial]:
    """Return how the deployment with a fault in it went."""
    return lambda fault: trials[fault.name].result()
