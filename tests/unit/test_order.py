"""In which order the tests run: a mistake is seen early, and no long file is the last."""

from __future__ import annotations

from tests.order import place

SECONDS = {"tests/e2e/test_long.py": 500.0, "tests/e2e/test_short.py": 5.0, "tests/faults/test_troubles.py": 900.0}


def _sorted(*files: str, changes: tuple[str, ...] = ()) -> list[str]:
    return sorted(files, key=lambda file: place(file, changes, SECONDS))


def test_fast_folders_come_first_and_the_main_path_follows() -> None:
    """Rules, documents, workflows, manifests; then a deployment and a rollback; then everything else."""
    order = ["tests/unit/test_a.py", "tests/docs/test_a.py", "tests/workflows/test_a.py", "tests/bench/test_a.py"]
    order += ["tests/manifests/test_a.py", "tests/e2e/test_deploy.py", "tests/e2e/test_rollback.py"]
    order += ["tests/e2e/test_long.py", "tests/e2e/test_short.py", "tests/e2e/test_unknown.py"]
    assert _sorted(*reversed(order)) == order


def test_changed_file_comes_before_longer_ones() -> None:
    """Who works on a test sees its outcome before the rest."""
    files = ("tests/e2e/test_long.py", "tests/e2e/test_short.py", "tests/e2e/test_deploy.py")
    changes = ("tests/e2e/test_short.py", "tests/e2e/test_deploy.py")
    assert _sorted(*files, changes=changes) == [
        "tests/e2e/test_deploy.py",
        "tests/e2e/test_short.py",
        "tests/e2e/test_long.py",
    ]


def test_what_runs_alone_comes_last() -> None:
    """However long or changed it is, until then all workers have something to do; what may be beside it is first."""
    last = ["tests/e2e/test_checks.py", "tests/downtime/test_downtime.py", "tests/faults/test_troubles.py"]
    assert _sorted(*reversed(last), "tests/e2e/test_unknown.py", changes=(last[1],)) == [
        "tests/e2e/test_unknown.py",
        *last,
    ]


def test_order_given_stays_where_nothing_is_known() -> None:
    """On a new machine the files keep their order."""
    files = ("tests/e2e/test_b.py", "lab/tests/test_a.py", "tests/e2e/test_a.py")
    assert _sorted(*files) == list(files)
