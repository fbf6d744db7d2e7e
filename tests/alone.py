"""Lets several workers share one lab: tests that stop its parts, or count its seconds, run while no other does.

A plugin of `make test`: `-p tests.alone`. It holds a file lock around each test that needs the lab: a shared lock, or
an exclusive one. Who waits for the exclusive lock waits until every other worker is between two tests; so
tests/order.py puts these files behind the others.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.budget import file_of

_SHARED = ("tests/e2e/", "lab/tests/")
_ALONE = (
    "tests/faults/",
    "tests/downtime/test_downtime.py",
    "tests/e2e/test_watch.py",
    "tests/e2e/test_demo.py",
    "lab/tests/test_faults_live.py",
    "lab/tests/test_lab.py",
    "lab/tests/test_worker.py",
)


def alone(file: str) -> bool:
    """Tell whether the tests of a file need the lab for themselves."""
    return file.startswith(_ALONE)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, its fixtures too, under the lock that its file needs."""
    kind = _lock_of(file_of(item.nodeid))
    if kind is None or not (run := os.environ.get("PYTEST_XDIST_TESTRUNUID")):
        return (yield)
    with (Path(tempfile.gettempdir()) / f"planera-alone-{run}").open("w") as file:
        fcntl.flock(file, kind)
        return (yield)


def _lock_of(file: str) -> int | None:
    if alone(file):
        return fcntl.LOCK_EX
    return fcntl.LOCK_SH if file.startswith(_SHARED) else None
