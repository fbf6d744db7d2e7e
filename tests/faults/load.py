"""Steady load on an application through the lab's ingress, each answer counted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

import urllib3
from urllib3.util import Timeout

from tests.e2e.harness import App
from tests.e2e.steady import Steady

_A_SECOND = 10
_SECONDS = 10.0
"""How long one request may take before it counts as lost."""
_KEPT = 10
"""Requests on one connection: some of a browser's are its first."""


@dataclass(frozen=True)
class Lost:
    """A request that was not answered as it should be."""

    at: datetime
    url: str
    why: str


@dataclass
class Load(Steady):
    """Requests at a steady rate while the block runs; a context manager."""

    patience: ClassVar[float] = _SECONDS + 1
    urls: tuple[str, ...]
    rate: int = _A_SECOND
    sent: int = 0
    lost: list[Lost] = field(default_factory=list)

    def users(self) -> Iterable[Callable[[], None]]:
        """Return one user for each URL."""
        return [partial(self._ask_on, url) for url in self.urls]

    def _ask_on(self, url: str) -> None:
        """Ask at every tick of the clock; a slow answer makes the next ones late, not fewer."""
        begun, asked = time.monotonic(), 0
        pool = _pool(url)
        while not self._over.wait(max(0.0, begun + asked / self.rate - time.monotonic())):
            if asked % _KEPT == 0:
                pool.close()
                pool = _pool(url)
            why = _ask(pool, url)
            asked += 1
            with self._counting:
                self.sent += 1
                if why:
                    self.lost.append(Lost(datetime.now(UTC), url, why))
        pool.close()


def load_on(host: str, api: str) -> Load:
    """Return load on the page, on the API beside it, and on the API alone with its database."""
    return Load((f"{host}/", f"{host}/api/version", f"{api}/api/tasks"))


def load(app: App) -> Load:
    """Return load on an application."""
    return load_on(app.host, app.api)


def _pool(url: str) -> urllib3.HTTPSConnectionPool:
    address, _, port = os.environ["LAB_HTTPS"].rpartition(":")
    host = url.partition("/")[0]
    return urllib3.HTTPSConnectionPool(
        address,
        int(port),
        ca_certs=os.environ["LAB_CA"],
        server_hostname=host,
        assert_hostname=host,
        timeout=Timeout(total=_SECONDS),
        maxsize=1,
        retries=False,
    )


def _ask(pool: urllib3.HTTPSConnectionPool, url: str) -> str:
    """Return what was wrong with an answer, if anything."""
    host, _, path = url.partition("/")
    try:
        answer = pool.request("GET", f"/{path}", headers={"Host": host})
    except urllib3.exceptions.HTTPError as error:
        return f"{type(error).__name__}: {error}"
    return "" if answer.status == 200 else f"{answer.status}: {answer.data[:200]!r}"
