"""Steady load that writes, deletes and undoes: what is signed by one pod is verified by another, seconds later."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from tests.e2e.steady import Steady
from tests.e2e.web import Web

_USERS = 4
_PAUSE = 0.5
_HELD = (0.0, 0.0, 3.0, 12.0)
"""Seconds after which a user changes his mind; some tokens outlive a rollout."""


@dataclass
class Undoing(Steady):
    """Users who add a task, delete it and bring it back while the block runs; a context manager."""

    patience: ClassVar[float] = 60.0
    web: Web
    host: str
    done: int = 0
    lost: list[str] = field(default_factory=list)

    def users(self) -> Iterable[Callable[[], None]]:
        """Return the users, who change their minds after different times."""
        return [partial(self._use, user) for user in range(_USERS)]

    def _use(self, user: int) -> None:
        """Add and delete at every turn; bring back what has been gone for long enough, at the end all of it."""
        waits = itertools.cycle(_HELD[user:] + _HELD[:user])
        held: list[tuple[float, str]] = []
        while not self._over.wait(_PAUSE):
            held += [(time.monotonic() + next(waits), token) for token in self.deleted()]
            due = [pair for pair in held if pair[0] <= time.monotonic()]
            held = [pair for pair in held if pair not in due]
            for _, token in due:
                self.restored(token)
        for _, token in held:
            self.restored(token)

    def deleted(self) -> list[str]:
        """Add a task, delete it, and return the token that brings it back."""
        task = self._ask("POST", "/api/tasks", 201, {"title": "to be undone"})
        if not task:
            return []
        gone = self._ask("DELETE", f"/api/tasks/{task['id']}", 200)
        return [gone["undo"]] if gone else []

    def restored(self, token: str) -> bool:
        """Bring a task back and tell whether that went well."""
        return bool(self._ask("POST", "/api/tasks/restore", 201, {"undo": token}))

    def _ask(self, method: str, path: str, wanted: int, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer, or nothing where it is not the wanted one, which is counted."""
        try:
            status, text = self.web.ask(method, self.host, path, json.dumps(body) if body else None)
            why = "" if status == wanted else f"{method} {path}: {status} {text[:200]}"
        except (OSError, http.client.HTTPException) as error:
            why = f"{method} {path}: {error!r}"
        with self._counting:
            self.done += 1
            if why:
                self.lost.append(f"{time.strftime('%H:%M:%S')} {why}")
                return {}
        answer: dict[str, Any] = json.loads(text)
        return answer
