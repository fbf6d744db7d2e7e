"""The load: so many requests a second, begun by the clock, whether the ones before are answered or not."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.downtime import page
from tests.downtime.client import Client, Request
from tests.downtime.cookies import Jar
from tests.downtime.tally import Tally
from tests.downtime.wire import Edge

Work = Callable[[float], Awaitable[object]]
_PAGE_REQUESTS, _WRITE_REQUESTS = 6, 2
_PAGES, _WRITES = 4, 5
"""How many of each are begun in a second at the full rate of 200 requests."""
_FULL = 200
_EVERY_FRESH = 10
"""One in so many requests is made on a connection of its own."""
_WARM = 5
"""Connections to each host with which a load begins."""
_BROWSERS = 5
"""Browsers that come back with their cookies; every other page is somebody's first visit."""


@dataclass
class Traffic:
    """Requests on an application of the example's kind, until it is told to stop."""

    edge: Edge
    host: str
    api: str
    rate: int = _FULL
    patience: float = 10.0
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._client = Client(self.edge, self.tally, self.patience)
        self._returning = itertools.cycle([Jar() for _ in range(_BROWSERS)])
        self._numbers = itertools.count()

    async def run(self, over: asyncio.Event) -> dict[str, Any]:
        """Begin work at its times until `over` is set; wait for the last answers, and return the figures."""
        begun = time.monotonic()
        running: set[asyncio.Task[object]] = set()
        loop = asyncio.get_running_loop()
        for offset, work in self._schedule():
            due = begun + offset
            if due > time.monotonic():
                timer = loop.create_future()
                loop.call_at(due, timer.set_result, None)
                await timer
            if over.is_set():
                break
            self.tally.lags.append(time.monotonic() - due)
            task = asyncio.ensure_future(work(due))
            running.add(task)
            task.add_done_callback(running.discard)
        lasted = time.monotonic() - begun
        await asyncio.gather(*running)
        self._client.close()
        return self.tally.report(lasted)

    async def warm(self) -> None:
        """Open the connections that are kept, few at a time and uncounted: users do not all come in one instant.

        Where they do, on a machine without time to spare, each request that waits opens one connection more.
        """
        counted, self._client.tally = self._client.tally, Tally()
        for _ in range(_WARM):
            await asyncio.gather(*(self._client.ask(Request(host, "/")) for host in (self.host, self.api) * _WARM))
        self._client.tally = counted

    def _schedule(self) -> Iterator[tuple[float, Work]]:
        """Yield when to begin what: the same number of requests in every second, evenly."""
        pages, writes = (max(1, each * self.rate // _FULL) for each in (_PAGES, _WRITES))
        singles = self.rate - pages * _PAGE_REQUESTS - writes * _WRITE_REQUESTS
        kinds = ((singles, self._single), (pages, self._page), (writes, self._write))
        second = _evenly(kinds)
        for number in itertools.count():
            yield from ((number + offset, work) for offset, work in second)

    def _single(self, due: float) -> Awaitable[object]:
        number = next(self._numbers)
        asked = (
            (self.host, "/"),
            (self.host, "/version.json"),
            (self.host, "/api/version"),
            (self.host, "/api/tasks"),
            (self.api, "/api/version"),
            (self.api, "/api/tasks"),
        )
        host, path = asked[number % len(asked)]
        return self._get(Request(host, path, fresh=number % _EVERY_FRESH == 0), due)

    async def _get(self, request: Request, due: float) -> None:
        if version := page.told(await self._client.ask(request, due)):
            kind = "frontend" if request.path == "/version.json" else "api"
            self.tally.seen[f"{kind} {version}"] += 1

    def _page(self, due: float) -> Awaitable[object]:
        number = next(self._numbers)
        jar = next(self._returning) if number % 2 else Jar()
        return page.load(self._client, self.host, jar, due)

    async def _write(self, due: float) -> None:
        """Add a task and delete it again: the list stays as long as it is."""
        task = json.dumps({"title": "seen by the load"}).encode()
        made = await self._client.ask(Request(self.host, "/api/tasks", "POST", task), due)
        number = (made.json() or {}).get("id") if made else None
        if number is not None:
            await self._client.ask(Request(self.host, f"/api/tasks/{number}", "DELETE"))


def _evenly(kinds: tuple[tuple[int, Work], ...]) -> list[tuple[float, Work]]:
    """Spread each kind over one second; by half a step, so that no two kinds begin at once."""
    spread = [((number + 0.5) / times, work) for times, work in kinds for number in range(times)]
    return sorted(spread, key=lambda each: each[0])
