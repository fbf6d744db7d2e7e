"""Puts what is fast first, then the main path, then what changed, then the rest with the longest files first.

A plugin: `-p tests.order`, named after those that it imports. A mistake is seen within minutes, and with `--dist
loadfile --no-loadscope-reorder` no long file starts last. The files that cannot share the lab with every other one
(tests/alone.py) come behind these, in an order of their own.
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.alone import turn
from tests.budget import Budget, file_of, folder_of
from tests.changes import changed
from tests.times import kept

_FIRST = ("tests/unit", "tests/docs", "tests/workflows", "tests/bench", "tests/manifests")
_MAIN_PATH = ("tests/e2e/test_deploy.py", "tests/e2e/test_rollback.py")
_BUDGET = Path(__file__).with_name("budget.toml")
_STEPS = (*_FIRST, *_MAIN_PATH)
_KNOWN = pytest.StashKey[dict[str, Any]]()


def place(file: str, changes: Collection[str], seconds: Mapping[str, float]) -> tuple[int, int, float]:
    """Return where a file stands, for a stable sort; one whose seconds nobody knows counts as short."""
    if turn(file):
        return turn(file), 0, 0.0
    if file in _MAIN_PATH or folder_of(file) in _FIRST:
        return 0, _STEPS.index(file if file in _MAIN_PATH else folder_of(file)), 0.0
    return 0, len(_STEPS) if file in changes else len(_STEPS) + 1, -seconds.get(file, 0.0)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give every worker the same knowledge: they must agree on the order."""
    node.workerinput["planera_order"] = _known(node.config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests by their files, behind whatever else sorts them."""
    given: dict[str, Any] = getattr(config, "workerinput", {}).get("planera_order") or _known(config)
    items.sort(key=lambda item: place(file_of(item.nodeid), given["changes"], given["seconds"]))


def _known(config: pytest.Config) -> dict[str, Any]:
    """Return what the order depends on; where there is no git, nothing counts as changed."""
    if _KNOWN not in config.stash:
        try:
            changes = sorted(changed(config.rootpath))
        except (OSError, subprocess.CalledProcessError):
            changes = []
        seconds = {**Budget.read(_BUDGET.read_text(encoding="utf-8")).longest, **kept(config)}
        config.stash[_KNOWN] = {"changes": changes, "seconds": seconds}
    return config.stash[_KNOWN]
