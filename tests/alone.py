"""Lets two workers share one lab: tests that take its parts away, or count its seconds, run while no other does.

A plugin of `make test`: `-p tests.alone`. It holds a file lock around each test that needs the lab, a shared one or
one of its own; who waits for one of its own waits until the other worker is between two tests.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_SHARED = (_ROOT / "tests/e2e",)
_ALONE = (
    *(_ROOT / "tests/faults", _ROOT / "tests/e2e/test_watch.py"),
    *(_ROOT / "tests/downtime/test_downtime.py", _ROOT / "tests/e2e/test_demo.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that run alone behind the others: a worker that waits for them does nothing."""
    items.sort(key=lambda item: _lock_of(item.path) == fcntl.LOCK_EX)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, its fixtures too, under the lock that its file needs."""
    kind = _lock_of(item.path)
    if kind is None or not (run := os.environ.get("PYTEST_XDIST_TESTRUNUID")):
        return (yield)
    with (Path(tempfile.gettempdir()) / f"planera-alone-{run}").open("w") as file:
        fcntl.flock(file, kind)
        return (yield)


def _lock_of(path: Path) -> int | None:
    where = {path, *path.parents}
    if where & set(_ALONE):
        return fcntl.LOCK_EX
    return fcntl.LOCK_SH if where & set(_SHARED) else None
