"""Processes of their own, forked from one that has imported everything: a start costs milliseconds, not seconds."""

from __future__ import annotations

import gc
import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

_PRELOADED = [
    *("tests.e2e.small", "tests.e2e.inprocess"),
    # What a verb and the clients that it uses import when it is called.
    *("planera_ci.data", "planera_ci.granting", "planera_ci.cluster.access"),
    *("anyio._backends._asyncio", "httpcore", "rich._emoji_codes", "_strptime"),
]
_BOOKS = threading.Lock()
"""Starting a process also reaps others, and of two threads that read one exit code the second one gets 255."""


@dataclass(frozen=True)
class Forked:
    """A function that runs in a process of its own, and sends one answer through the connection that it is given."""

    process: BaseProcess
    answers: Connection

    @classmethod
    def of(cls, function: Callable[..., None], *words: Any) -> Forked:
        """Start it; what it is given last is the connection for its answer."""
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload(_PRELOADED)
        answers, send = processes.Pipe(duplex=False)
        process = processes.Process(target=_begin, args=(function, *words, send))
        with _BOOKS:
            process.start()
        send.close()
        return cls(process, answers)

    def answer(self) -> Any:
        """Wait for its end and return its answer; nothing if it was killed before."""
        try:
            answer = self.answers.recv()
        except EOFError:
            answer = None
        with _BOOKS:
            self.process.join()
        return answer

    @property
    def code(self) -> int:
        """Return its exit code, once it has ended."""
        with _BOOKS:
            return self.process.exitcode or 0

    def kill(self) -> None:
        """End it with no handler, as a machine does that goes away."""
        self.process.kill()


def _begin(function: Callable[..., None], *words: Any) -> None:
    """Run it; what was imported before is no garbage, and is not looked through for any."""
    gc.freeze()
    function(*words)
