"""Tests that share the lab leave each other the room that they need."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.alone import Need, await_sharers, need_of, sharing, taken, turn
from tests.texts import ROOT

_WORKERS = 4
_ONE, _COUNTING, _ALONE = Need(range(4)), Need(range(2, 5), every=True), Need(range(5), every=True)
_CLUSTER, _ENGINE = Need(range(4), every=True), Need(range(4, 5))


@pytest.mark.parametrize(
    ("file", "need"),
    [
        ("tests/e2e/test_deploy.py", _ONE),
        ("lab/tests/test_cli.py", _ONE),
        ("tests/faults/test_faults.py", _COUNTING),
        ("tests/downtime/test_downtime.py", _CLUSTER),
        ("lab/tests/test_faults_live.py", _CLUSTER),
        ("tests/faults/test_troubles.py", _CLUSTER),
        ("lab/tests/test_lab.py", _ALONE),
        ("tests/e2e/test_checks.py", _ENGINE),
        ("tests/e2e/test_crowd.py", Need(range(2, 4))),
        ("tests/unit/test_plan.py", None),
    ],
)
def test_file_needs_so_many_places(file: str, need: Need | None) -> None:
    """One, all but those of two neighbours, all of the cluster or all, one of those that are left, or none."""
    assert need_of(file, _WORKERS) == need


@pytest.mark.parametrize("workers", [1, 2])
def test_every_test_finds_a_place_whatever_the_number_of_workers(workers: int) -> None:
    """With a single worker nobody is beside anybody."""
    for file in ("tests/e2e/test_a.py", "tests/e2e/test_crowd.py", "tests/faults/test_faults.py"):
        need = need_of(file, workers)
        assert need is not None
        assert len(need.places) > 0


@pytest.mark.parametrize(
    ("first", "second", "beside"),
    [
        (_ONE, _ONE, True),
        (_COUNTING, _ONE, True),
        (_COUNTING, Need(range(2, 4)), False),
        (_COUNTING, _COUNTING, False),
        (_ONE, _ALONE, False),
        (_ALONE, _ONE, False),
        (_CLUSTER, _ONE, False),
        (_CLUSTER, _ENGINE, True),
        (_ENGINE, _CLUSTER, True),
        (_ENGINE, _ALONE, False),
        (_COUNTING, _ENGINE, False),
        (_ENGINE, _ENGINE, False),
    ],
    ids=[
        *("two", "counting and one", "counting and a greedy one", "two that count", "one and alone", "alone and one"),
        *("cluster and one", "cluster and engine", "engine and cluster", "engine and alone"),
        *("counting and engine", "two of the engine"),
    ],
)
def test_two_tests_run_side_by_side_or_in_turn(tmp_path: Path, first: Need, second: Need, *, beside: bool) -> None:
    """What does not fit beside the other waits, and comes when that one is over."""
    with ThreadPoolExecutor(1) as pool:
        with taken(tmp_path, first):
            other = pool.submit(_takes, tmp_path, second)
            assert _comes(other) is beside
        assert other.result(5)


def test_no_third_test_runs_beside_one_that_counts(tmp_path: Path) -> None:
    """Its two neighbours have the first places, and the next one waits."""
    with ThreadPoolExecutor(1) as pool:
        with taken(tmp_path, _COUNTING), taken(tmp_path, _ONE) as first, taken(tmp_path, _ONE) as second:
            assert [first, second] == [[0], [1]]
            third = pool.submit(_takes, tmp_path, _ONE)
            assert not _comes(third)
        assert third.result(5)


def test_file_that_was_begun_is_not_interrupted(tmp_path: Path) -> None:
    """What needs the cluster for itself waits until the last of those that share it have come to their end."""
    with ThreadPoolExecutor(1) as pool:
        with sharing(tmp_path), sharing(tmp_path):
            waits = pool.submit(await_sharers, tmp_path)
            assert not _comes(waits)
        assert waits.result(5) is None


def _takes(folder: Path, need: Need) -> list[int]:
    with taken(folder, need) as places:
        return places


def _comes(other: Future[Any]) -> bool:
    try:
        other.result(0.3)
    except TimeoutError:
        return False
    return True


def test_files_that_need_more_than_a_place_exist() -> None:
    """A renamed file would share the lab without a word."""
    found = {file.relative_to(ROOT).as_posix() for file in ROOT.glob("tests/*/test_*.py")}
    assert {file for file in found if need_of(file, _WORKERS) not in (None, _ONE)} == {
        "tests/downtime/test_downtime.py",
        "tests/e2e/test_checks.py",
        "tests/e2e/test_crowd.py",
        "tests/e2e/test_demo.py",
        "tests/e2e/test_watch.py",
        "tests/faults/test_faults.py",
        "tests/faults/test_troubles.py",
    }
    assert turn("lab/tests/test_faults_live.py")
