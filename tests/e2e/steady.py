"""Users that go on while a block runs, each in a thread of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, Self


@dataclass
class Steady(ABC):
    """A context manager that starts its users, and has them end with the block."""

    patience: ClassVar[float]
    """Seconds that a user may take to end."""
    _over: threading.Event = field(default_factory=threading.Event, kw_only=True)
    _counting: threading.Lock = field(default_factory=threading.Lock, kw_only=True)

    @abstractmethod
    def users(self) -> Iterable[Callable[[], None]]:
        """Return what each user does until it is over."""

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=user, daemon=True) for user in self.users()]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(self.patience)
