"""Tests of the lab; those marked `lab` use the one that is up, `slow_lab` brings up another beside it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE)]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known, whichever folder pytest is started in."""
    config.addinivalue_line("markers", "lab: uses the lab that is up")
    config.addinivalue_line("markers", "slow_lab: brings a second lab up and down beside it")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Give each test a folder with a short name: a lab's home has room for a few characters only."""
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def running_lab() -> None:
    """Say what is missing where the lab is not up."""
    from lab_command import answering  # noqa: PLC0415 - found by the path above

    if not answering():
        pytest.fail("the lab is not up: start it with `lab/lab up`", pytrace=False)
