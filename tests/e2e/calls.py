"""A verb called by a test: what it is told, what it printed, and how long it took."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.forked import Forked
from tests.e2e.inprocess import Order, carry_out
from tests.e2e.paths import ROOT
from tests.e2e.words import Call, Place


@dataclass(frozen=True)
class Outcome:
    """What one call printed, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def message(self) -> str:
        """The error as a person sees it."""
        return self.err

    def report(self) -> dict[str, Any]:
        """Return the report of a call that must have succeeded, and was asked for JSON."""
        assert self.code == 0, self.err[-4000:]
        report: dict[str, Any] = json.loads(self.out)
        return report


def called(
    words: Iterable[str],
    env: Mapping[str, str],
    place: Place = Place(ROOT),  # noqa: B008 - it cannot be changed
    until: Callable[[str], bool] = lambda _: False,
) -> Outcome:
    """Call a verb without the CLI; end it with no handler as soon as a line of its progress is one to end at."""
    begun = time.monotonic()
    order = Order(Call.of(words), place, dict(env))
    progress, send = multiprocessing.get_context("forkserver").Pipe(duplex=False)
    call = Forked.of(carry_out, order, send)
    send.close()
    lines: list[str] = []

    def follow() -> None:
        with os.fdopen(os.dup(progress.fileno()), errors="replace") as stream:
            for line in stream:
                lines.append(line)
                if until(line):
                    call.kill()

    follower = threading.Thread(target=follow)
    follower.start()
    ended = call.answer()
    follower.join()
    progress.close()
    code, out = (ended.code, ended.out) if ended else (call.code, "")
    return Outcome(code, out, "".join(lines), time.monotonic() - begun)
