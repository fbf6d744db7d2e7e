"""One readable line when a long step begins, while it lasts, and when it ends, with the seconds it took."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT_SECONDS = 30.0
_lock = threading.Lock()
_start = time.monotonic()


def say(text: str) -> None:
    """Print one line to standard error, behind the time since the command began."""
    with _lock:
        print(f"[{time.monotonic() - _start:6.1f} s] {text}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str, *, quiet_below: float = 0.0) -> Iterator[None]:
    """Report a step; one that ends within `quiet_below` seconds is not worth two lines."""
    begin = time.monotonic()
    done = threading.Event()

    def watch() -> None:
        if done.wait(quiet_below):
            return
        say(f"{text} ...")
        while not done.wait(HEARTBEAT_SECONDS):
            say(f"{text}: {time.monotonic() - begin:.0f} s so far")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    ended = "failed after"
    try:
        yield
        ended = "done in"
    finally:
        done.set()
        watcher.join()
        seconds = time.monotonic() - begin
        if seconds >= quiet_below or ended != "done in":
            say(f"{text}: {ended} {seconds:.1f} s")
