"""Lets several workers share one lab, as far as their tests leave room for each other.

A plugin of `make test`: `-p tests.alone`. There are as many places as workers, each the lock of a file. A test that
needs the lab takes one of them. One that counts seconds takes all but the first two, so that two tests run beside it,
and none of those that use everything the machine has. One that stops parts of the lab takes all; tests/order.py puts
the files of such tests behind the others.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.budget import file_of

_SHARED = ("tests/e2e/", "lab/tests/")
_COUNTING = ("tests/faults/test_faults.py",)
_GREEDY = ("tests/e2e/test_crowd.py", "lab/tests/test_second_lab.py")
_ALONE = (
    "tests/faults/test_troubles.py",
    "tests/downtime/test_downtime.py",
    "tests/e2e/test_watch.py",
    "tests/e2e/test_demo.py",
    "lab/tests/test_faults_live.py",
    "lab/tests/test_lab.py",
    "lab/tests/test_worker.py",
)
NEIGHBOURS = 2
"""Tests beside one that counts seconds."""
_LOOKS = 0.05
"""Seconds between two looks for a place."""
_HELD = pytest.StashKey[ExitStack]()
_KEPT = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Need:
    """The places that a test may take: any one of them, or all."""

    places: Sequence[int]
    every: bool = False


def alone(file: str) -> bool:
    """Tell whether the tests of a file need the lab for themselves."""
    return file.startswith(_ALONE)


def need_of(file: str, places: int) -> Need | None:
    """Return what a test of this file needs, or nothing where it has nothing to do with the lab."""
    every, others = range(places), range(min(NEIGHBOURS, places - 1), places)
    if alone(file):
        return Need(every, every=True)
    if file.startswith(_COUNTING):
        return Need(others, every=True)
    if file.startswith(_GREEDY):
        return Need(others)
    return Need(every) if file.startswith(_SHARED) else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Run a test, its fixtures too, in the places that it needs; who waited for several keeps them for the file."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    file = file_of(item.nodeid)
    need = need_of(file, workers)
    if need is None or workers == 1:
        return (yield)
    held = item.config.stash.setdefault(_HELD, ExitStack())
    if not item.config.stash.get(_KEPT, False):
        folder = Path(tempfile.gettempdir()) / f"planera-places-{os.environ['PYTEST_XDIST_TESTRUNUID']}"
        folder.mkdir(exist_ok=True)
        held.enter_context(taken(folder, need))
    kept = need.every and nextitem is not None and file_of(nextitem.nodeid) == file
    item.config.stash[_KEPT] = kept
    try:
        return (yield)
    finally:
        if not kept:
            held.close()


@contextmanager
def taken(folder: Path, need: Need) -> Iterator[list[int]]:
    """Take what is needed, and wait for it; who waits for all keeps what is there already, in one order for all."""
    with ExitStack() as held:
        files = {place: held.enter_context((folder / str(place)).open("w")) for place in need.places}
        if need.every:
            for file in files.values():
                fcntl.flock(file, fcntl.LOCK_EX)
            yield list(files)
            return
        again = threading.Event()
        while (free := next((place for place, file in files.items() if _free(file)), None)) is None:
            again.wait(_LOOKS)  # no lock can be waited for beside others
        yield [free]


def _free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
