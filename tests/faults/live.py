"""What a namespace's objects say while a deployment runs, followed by kubectl's watches."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from tests.e2e.harness import ROOT, run

Obj = dict[str, Any]

KINDS = ("pods", "events", "replicasets", "jobs")
_AGAIN = 0.3
"""Seconds before a watch that ended is begun anew."""
_BROKEN = "ERROR"
"""The event by which an API server that goes away ends a watch: with a Status, which is no object of the namespace."""


@dataclass(frozen=True)
class Sight:
    """An object as it was seen, and when."""

    at: datetime
    obj: Obj


@dataclass
class Live:
    """Everything seen of a namespace since the block began; a context manager."""

    namespace: str
    seen: list[Sight] = field(default_factory=list)
    before: set[str] = field(default_factory=set)
    """The uids of what was there at the start."""
    _news: threading.Condition = field(default_factory=threading.Condition)
    _over: threading.Event = field(default_factory=threading.Event)
    _watches: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        there = run(
            ["kubectl", "-n", self.namespace, "get", ",".join(KINDS), "-o", "jsonpath={.items[*].metadata.uid}"]
        )
        self.before.update(there.split())
        for kind in KINDS:
            self._threads.append(threading.Thread(target=self._follow, args=(kind,), daemon=True))
            self._threads[-1].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        for thread in self._threads:
            thread.join(5)

    def close(self) -> None:
        """See no more; whoever waits for something learns that it does not come."""
        self._over.set()
        with self._news:
            self._news.notify_all()
        for watch in list(self._watches.values()):
            watch.terminate()

    def until(self, found: Callable[[Live], bool], within: float) -> None:
        """Return once something is seen; fail where it does not come in time."""
        with self._news:
            self._news.wait_for(lambda: self._over.is_set() or found(self), within)
        assert found(self), f"not seen in {self.namespace}: {found.__name__}"

    def new(self, kind: str) -> list[Obj]:
        """Return the objects of a kind that were not there at the start, as they were seen last."""
        sights = [sight.obj for sight in list(self.seen) if sight.obj["kind"] == kind]
        latest = {obj["metadata"]["uid"]: obj for obj in sights}
        return [obj for uid, obj in latest.items() if uid not in self.before]

    def _follow(self, kind: str) -> None:
        """Watch one kind; a watch that ends, as with its API server, is begun anew."""
        command = ["kubectl", "-n", self.namespace, "get", kind, "--watch", "--output-watch-events", "-o", "json"]
        while not self._over.is_set():
            with subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as watch:
                self._watches[kind] = watch
                if not self._over.is_set():
                    self._read(watch)
                watch.terminate()
            self._over.wait(_AGAIN)

    def _read(self, watch: subprocess.Popen[str]) -> None:
        assert watch.stdout is not None
        for line in watch.stdout:
            if self._over.is_set():
                return
            event = json.loads(line)
            if event["type"] == _BROKEN:
                return
            with self._news:
                self.seen.append(Sight(datetime.now(UTC), event["object"]))
                self._news.notify_all()
