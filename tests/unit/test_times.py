"""Runs of pytest in a folder of their own: what they print, what they keep, and which of them fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.texts import ROOT

_PLUGINS = ("-p", "tests.alone", "-p", "tests.times", "-p", "tests.order")
_WORKERS = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
_BUDGET = """
yardstick.seconds = 1000
whole = { seconds = 10, workers = 1 }
folders = { "toy/two" = 60 }
reserved = {}
longest = {}
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """Make two folders of one test each; the first one has no budget."""
    for name in ("one", "two"):
        file = tmp_path / f"toy/{name}/test_{name}.py"
        file.parent.mkdir(parents=True)
        file.write_text(f"def test_{name}():\n    assert 'x' not in '{name}'\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    (tmp_path / "budget.toml").write_text(_BUDGET)
    return tmp_path


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *_PLUGINS, *words]
    # A check in a container keeps no cache: whoever runs these does.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _kept(folder: Path) -> list[str]:
    file = folder / ".pytest_cache/v/planera/seconds"
    return sorted(json.loads(file.read_text())) if file.exists() else []


def test_whole_run_over_its_budget_fails_with_the_table(toy: Path) -> None:
    """Every test passed, in two workers, and the run did not: one sentence names the folder, the table all of them."""
    done = _run(toy, *_WORKERS, "--budget=budget.toml", "toy")
    assert done.returncode == 1, done.stdout
    assert "The tests are over their budget: toy/one took 0 s of 0 s." in done.stdout
    assert re.search(r"^ +\d+\.\d +\d+% +60  toy/two$", done.stdout, re.MULTILINE)
    assert "Budgets are multiplied by 1.00: the yardstick took" in done.stdout
    assert "2 passed in" in done.stdout.splitlines()[-1]


def test_seconds_are_added_up_over_the_runs_of_make_test(toy: Path) -> None:
    """A run of some files is held to no budget; the whole one counts what that took."""
    assert _run(toy, "toy/one").returncode == 0
    done = _run(toy, "--budget=budget.toml", "toy/two")
    assert done.returncode == 1
    assert "toy/one took 0 s of 0 s" in done.stdout


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("toy",), ["toy/one/test_one.py", "toy/two/test_two.py"]),
        (("toy/one/test_one.py::test_one",), []),
        (("-k", "one", "toy"), []),
    ],
    ids=["files", "test", "name"],
)
def test_seconds_of_a_part_of_a_file_are_not_kept(toy: Path, words: tuple[str, ...], kept: list[str]) -> None:
    """They would pass for those of the file."""
    done = _run(toy, *words)
    assert done.returncode == 0, done.stdout
    assert _kept(toy) == kept


def test_failure_is_named_before_the_end(toy: Path) -> None:
    """Whoever waits for a long run sees the first mistake while it runs."""
    (toy / "toy/one/test_one.py").write_text("def test_one():\n    assert False\n")
    done = _run(toy, "toy")
    assert done.returncode == 1
    assert done.stdout.index("failed in call after") < done.stdout.index("= FAILURES =")
