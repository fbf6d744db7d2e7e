"""Tells where the time of a run went, and fails a whole run that took more than tests/budget.toml allows.

A plugin: `-p tests.times`, with or without pytest-xdist. `--budget FILE` says that the run is a whole one. The seconds
of each file are kept in pytest's cache: the next run starts the longest first (tests/order.py), and `make test`, which
runs pytest twice, adds both runs up.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.budget import Budget, Phase, by_file, by_folder, folder_table, slowest_table, verdict
from tests.yardstick import measured

_KEPT = "planera/seconds"
_PARTIAL = ("keyword", "markexpr", "deselect", "lf", "stepwise", "maxfail")
"""Options of a run that may leave a part of a file out."""


def kept(config: pytest.Config) -> dict[str, float]:
    """Return the seconds that each file took when it last ran as a whole."""
    cache = getattr(config, "cache", None)
    seconds: dict[str, float] = (cache.get(_KEPT, None) if cache else None) or {}
    return {file: spent for file, spent in seconds.items() if (config.rootpath / file).exists()}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of a whole run."""
    parser.addoption("--budget", type=Path, metavar="FILE", help="fail if a folder takes more than this file allows")


def pytest_configure(config: pytest.Config) -> None:
    """Count in the process that sees every test: with xdist, the one that has no worker's input."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.pluginmanager.register(_Times(config), "planera-times")


class _Times:
    """The seconds of one run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        file = config.getoption("--budget")
        self._budget = Budget.read(file.read_text(encoding="utf-8")) if file else None
        self._yardstick = measured() if self._budget else 0.0
        self._begun = time.monotonic()
        self._phases: list[Phase] = []
        self._folders: dict[str, float] = {}
        self._over = ""

    @property
    def _factor(self) -> float:
        return self._budget.factor(self._yardstick) if self._budget else 1.0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a phase, and name a test that failed now and not only at the end."""
        self._phases.append(Phase(report.nodeid, report.when or "", report.duration))
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal:
            terminal.ensure_newline()
            terminal.write_line(f"failed in {report.when} after {report.duration:.1f} s: {report.nodeid}", red=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the seconds, and fail a run that is over its budget."""
        files = {**kept(self._config), **by_file(self._phases)} if self._budget else by_file(self._phases)
        self._folders = by_folder(files)
        if self._whole(session):
            self._config.cache.set(_KEPT, {**kept(self._config), **by_file(self._phases)})
        if self._budget:
            self._over = verdict(self._budget, self._folders, self._factor)
        if self._over and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _whole(self, session: pytest.Session) -> bool:
        """Tell whether every file that was named ran as a whole, so that its seconds can be kept."""
        ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        parts = any("::" in word for word in self._config.args)
        parts = parts or any(self._config.getoption(name, None) for name in _PARTIAL)
        return ended and not parts and getattr(self._config, "cache", None) is not None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the tables."""
        if not self._phases:
            return
        terminalreporter.section("slowest tests")
        for line in slowest_table(self._phases):
            terminalreporter.write_line(line)
        terminalreporter.section("time of each folder")
        for line in folder_table(self._folders, self._budget, self._factor):
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"{time.monotonic() - self._begun:8.1f}  from the beginning of this run to its end")
        if self._budget:
            speed = f"{self._yardstick:.2f} s here, {self._budget.yardstick:.2f} s where the budgets were set"
            terminalreporter.write_line(f"Budgets are multiplied by {self._factor:.2f}: the yardstick took {speed}.")
        if self._over:
            terminalreporter.write_line(self._over, red=True)
