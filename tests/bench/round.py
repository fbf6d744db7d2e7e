"""One round: every case once, by everybody in turn, on a copy of the example that no other round has seen."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.cases import CHANGES, FAILING, FIRST, ROLLBACK, TRIED, Case, crashing, everything
from tests.bench.helm import Helm
from tests.bench.ours import Called, Ours
from tests.bench.shell import Ran, Shell
from tests.e2e.harness import make_app
from tests.e2e.thrift import Thrift
from tests.faults.catalogue import edited, faults
from tests.faults.peers import Told
from tests.faults.trial import prepare

Facts = dict[str, Any]
Measure = Callable[[], Facts]
_FAULT = next(fault for fault in faults() if fault.name == "crash at once")


@dataclass
class Round:
    """A fresh application, and those who deploy it."""

    number: int
    folder: Path
    chosen: tuple[str, ...]
    """Names of the cases that are measured; the first one is deployed whatever is chosen."""
    mark: str = field(default_factory=lambda: f"mark{secrets.token_hex(3)}")

    def __post_init__(self) -> None:
        """Make the application."""
        self.app = make_app(f"b{secrets.token_hex(3)}", self.folder / "app", thrift=Thrift(pause=15))
        prepare(self.app)
        self.ours = Ours(self.app, self.folder / "ours")
        self.shell = Shell(self.app, self.folder / "shell")
        self.helm = Helm(self.app, self.folder / "helm")

    def rows(self) -> Iterator[Facts]:
        """Yield what each case took."""
        self.shell.prepare()
        everything(self.app, self.mark)
        self.app.commit(FIRST)
        yield self._row(FIRST, self._both())
        self.helm.prepare()
        for case in CHANGES:
            if case.name in self.chosen:
                yield self._row(case.name, self._changed(case))
        if ROLLBACK in self.chosen:
            yield self._row(ROLLBACK, self._back())
        if FAILING in self.chosen:
            yield self._row(FAILING, self._failing())
        if TRIED in self.chosen:
            crashing(self.app, self.mark)
            self.app.commit(TRIED)
            yield self._row(TRIED, {"planera-ci": _ours(self.ours.deploy(), fails=True)})

    def remove(self) -> None:
        for each in (self.helm, self.shell, self.app):
            each.remove()

    def _row(self, name: str, found: Facts) -> Facts:
        row = {"case": name, "round": self.number, **found}
        sys.stderr.write(f"round {self.number}: {name}: " + _short(found) + "\n")
        return row

    def _changed(self, case: Case) -> Facts:
        case.edit(self.app, self.mark)
        self.app.commit(case.name)
        return {**self._both(), "helm": _helm(self.helm.deployed())}

    def _both(self) -> Facts:
        return self._in_turn(
            {
                "planera-ci": lambda: _ours(self.ours.deploy()),
                "floor": lambda: _ours(self.ours.empty()),
                "shell": lambda: _shell(self.shell.deploy()),
            }
        )

    def _back(self) -> Facts:
        return self._in_turn(
            {
                "planera-ci": lambda: _ours(self.ours.rollback()),
                "floor": lambda: _ours(self.ours.empty()),
                "shell": lambda: _shell(self.shell.rollback()),
                "helm": lambda: _helm(self.helm.rollback()),
            }
        )

    def _failing(self) -> Facts:
        """Deploy what crashes in the cluster alone; the peers, which wait for their timeouts, wait side by side."""
        with edited(self.app, _FAULT), ThreadPoolExecutor(2) as pool:
            mine = _ours(self.ours.deploy(), fails=True)
            helm = pool.submit(lambda: _helm(self.helm.deployed(), fails=True))
            shell = pool.submit(lambda: _shell(self.shell.deploy(), fails=True))
            return {"planera-ci": mine, "helm": helm.result(), "shell": shell.result()}

    def _in_turn(self, measures: dict[str, Measure]) -> Facts:
        """Measure one after the other, each round in another order."""
        names = list(measures)
        turn = self.number % len(names)
        return {name: measures[name]() for name in (*names[turn:], *names[:turn])}


def _ours(called: Called, *, fails: bool = False) -> Facts:
    assert bool(called.code) is fails, called.text
    found = {"seconds": called.seconds, "work": called.work, "deploying": called.deploying, "parts": called.parts}
    return found | ({"said": called.text[-300:]} if fails else {})


def _shell(ran: Ran, *, fails: bool = False) -> Facts:
    assert bool(ran.code) is fails, ran.text
    return {"seconds": ran.seconds, "awake": ran.awake, "phases": ran.phases.seconds, "said": ran.text}


def _helm(told: Told, *, fails: bool = False) -> Facts:
    assert bool(told.code) is fails, told.text
    return {"seconds": told.seconds, "said": told.text}


def _short(found: Facts) -> str:
    return ", ".join(f"{name} {facts.get('awake', facts['seconds']):.1f} s" for name, facts in found.items())
