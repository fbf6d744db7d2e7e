"""Lets several workers share one lab, as far as their tests leave room for each other.

A plugin of `make test`: `-p tests.alone`. There are as many places as workers, each the lock of a file. A test that
needs the lab takes one of them. One that counts seconds takes all but the first two: so many tests run beside it,
and none of those that use everything the machine has. One that needs the cluster for itself takes all, as soon as no
worker has begun a file whose tests share the lab: the rest of such a file would come behind it, with nothing beside it.

One more place is for a test that needs nothing of the lab but the engine: it runs beside those that need the cluster
for themselves, but not beside one that counts, or that needs the machine for itself. tests/order.py puts these files
behind the others, in the order in which they stand here.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.budget import file_of

_SHARED = ("tests/e2e/", "lab/tests/")
_COUNTING = ("tests/faults/test_faults.py",)
_GREEDY = ("tests/e2e/test_crowd.py", "lab/tests/test_second_lab.py")
_ENGINE = ("tests/e2e/test_checks.py",)
_CLUSTER = (
    "tests/downtime/test_downtime.py",
    "tests/faults/test_troubles.py",
    "lab/tests/test_faults_live.py",
    "lab/tests/test_worker.py",
    "tests/e2e/test_watch.py",
)
_ALONE = ("tests/e2e/test_demo.py", "lab/tests/test_lab.py")
_LAST = (*_ENGINE, *_CLUSTER, *_ALONE)
NEIGHBOURS = 2
"""Tests beside one that counts seconds."""
_LOOKS = 0.05
"""Seconds between two looks for a place."""
_HELD = pytest.StashKey[ExitStack]()
"""The places that a test has left to the next one of its file."""
_SHARES = pytest.StashKey[ExitStack]()
"""What says that this worker has more tests to come that share the lab."""


@dataclass(frozen=True)
class Need:
    """The places that a test may take: any one of them, or all."""

    places: Sequence[int]
    every: bool = False


def turn(file: str) -> int:
    """Return where a file stands behind those that share the lab, for which it is nought."""
    return _LAST.index(file) + 1 if file in _LAST else 0


def need_of(file: str, workers: int) -> Need | None:
    """Return what a test of this file needs, or nothing where it has nothing to do with the lab."""
    first = min(NEIGHBOURS, workers - 1)
    needs = (
        (_ALONE, Need(range(workers + 1), every=True)),
        (_CLUSTER, Need(range(workers), every=True)),
        (_ENGINE, Need(range(workers, workers + 1))),
        (_COUNTING, Need(range(first, workers + 1), every=True)),
        (_GREEDY, Need(range(first, workers))),
        (_SHARED, Need(range(workers))),
    )
    return next((need for files, need in needs if file.startswith(files)), None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Run a test, its fixtures too, in the places that it needs; who waited for several keeps them for the file."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    file = file_of(item.nodeid)
    need = need_of(file, workers)
    if need is None or workers == 1:
        return (yield)
    stash, coming = item.config.stash, file_of(nextitem.nodeid) if nextitem else ""
    folder = Path(tempfile.gettempdir()) / f"planera-places-{os.environ['PYTEST_XDIST_TESTRUNUID']}"
    folder.mkdir(exist_ok=True)
    if not turn(file) and _SHARES not in stash:
        _enter(stash, _SHARES, sharing(folder))
    if _HELD not in stash:
        if need.every and turn(file):
            await_sharers(folder)
        _enter(stash, _HELD, taken(folder, need))
    try:
        return (yield)
    finally:
        if not (need.every and coming == file):
            _leave(stash, _HELD)
        if _SHARES in stash and (turn(coming) or need_of(coming, workers) is None):
            _leave(stash, _SHARES)


def _enter(stash: pytest.Stash, key: pytest.StashKey[ExitStack], held: AbstractContextManager[object]) -> None:
    stash[key] = ExitStack()
    stash[key].enter_context(held)


def _leave(stash: pytest.Stash, key: pytest.StashKey[ExitStack]) -> None:
    stash[key].close()
    del stash[key]


@contextmanager
def sharing(folder: Path) -> Iterator[None]:
    """Have those wait meanwhile that need the cluster for themselves."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


def await_sharers(folder: Path) -> None:
    """Wait until no worker has begun a file whose tests share the lab."""
    with _locked(folder, fcntl.LOCK_EX):
        pass


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    with (folder / "sharers").open("w") as file:
        fcntl.flock(file, how)
        yield


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
