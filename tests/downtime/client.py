"""Requests that are counted: on connections kept alive, and on fresh ones."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

from tests.downtime.cookies import Jar
from tests.downtime.tally import Tally, Trouble
from tests.downtime.wire import Answer, Broken, Edge, Wire

PATIENCE = 10.0
"""Seconds until a request counts as failed: as long as the example's page waits."""
_IDLE = 30.0
"""Seconds after which a connection that nobody used is given up, long before the proxy does."""


@dataclass(frozen=True)
class Request:
    """What to ask; `fresh` asks on a connection of its own."""

    host: str
    path: str
    method: str = "GET"
    body: bytes = b""
    fresh: bool = False
    jar: Jar | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What it says besides its host."""
        kind = {"Content-Type": "application/json"} if self.body else {}
        return kind | (self.jar.header(self.path) if self.jar else {})

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path}"


@dataclass
class Client:
    """Asks, and counts each request exactly once, whatever becomes of it."""

    edge: Edge
    tally: Tally
    patience: float = PATIENCE
    _idle: dict[str, list[tuple[float, Wire]]] = field(default_factory=lambda: defaultdict(list))

    async def ask(self, request: Request, since: float | None = None) -> Answer | None:
        """Return an answer of 2xx; count anything else as failed and return it, or None where there is none.

        Its time counts from `since`, when it should have been sent: a generator that is late must not
        make the answers look quick.
        """
        since = time.monotonic() if since is None else since
        self.tally.requests += 1
        answer, why, waits = None, "", ["connection"]
        try:
            async with asyncio.timeout(self.patience):
                answer = await self._asked(request, waits)
        except TimeoutError:
            why = f"no {waits[-1]} in {self.patience:.0f} s"
        except (OSError, Broken) as error:
            why = f"{type(error).__name__}: {error}"
        self.tally.seconds.append(time.monotonic() - since)
        if answer and not 200 <= answer.status < 300:
            why = f"{answer.status}: {answer.body[:120].decode(errors='replace').strip()}"
        if why:
            self.tally.failed.append(Trouble.now(str(request), why))
        return answer

    def close(self) -> None:
        """End every connection."""
        for kept in self._idle.values():
            for _, wire in kept:
                wire.close()

    async def _asked(self, request: Request, waits: list[str]) -> Answer:
        wire = None if request.fresh else self._kept(request.host)
        if wire is None:
            self.tally.fresh += 1
            wire = await Wire.opened(self.edge, request.host)
        reusable = False
        waits.append("answer")
        try:
            answer = await wire.ask(request.method, request.host, request.path, request.headers, request.body)
            reusable = not (answer.last or request.fresh)
        finally:
            if reusable:
                self._idle[request.host].append((time.monotonic(), wire))
            else:
                wire.close()
        if request.jar:
            request.jar.take(answer.all("set-cookie"), request.path)
        return answer

    def _kept(self, host: str) -> Wire | None:
        """Return the connection that was used last, if one can be used at all."""
        while self._idle[host]:
            used, wire = self._idle[host].pop()
            if wire.usable and time.monotonic() - used < _IDLE:
                return wire
            wire.close()
        return None
