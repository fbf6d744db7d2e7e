"""What the folders of tests have in common that run against the lab."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest


def marked(items: Iterable[pytest.Item], folder: Path) -> None:
    """Mark what stands in a folder as needing the lab."""
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.lab)


def demanded(command: str) -> None:
    """Say what is missing instead of failing in every test."""
    if "_EXPERIMENTAL_DAGGER_RUNNER_HOST" not in os.environ:
        pytest.exit(f"these tests need the lab: run `{command}`, or `lab/lab up` and `lab/lab run -- pytest`", 2)
