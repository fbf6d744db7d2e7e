"""What a load has seen: each request counted once, each failure kept with its time and cause."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Trouble:
    """Something that a user would have noticed."""

    at: str
    what: str
    why: str

    @classmethod
    def now(cls, what: str, why: str) -> Trouble:
        """Return one of this moment."""
        return cls(datetime.now(UTC).isoformat(timespec="milliseconds"), what, why)


@dataclass
class Tally:
    """Figures of one load, from its first request to its last answer."""

    requests: int = 0
    fresh: int = 0
    """Requests that were the first of their connection."""
    pages: int = 0
    failed: list[Trouble] = field(default_factory=list)
    mixed: list[Trouble] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    """How late each unit of work was begun: what the generator itself did to the figures."""
    seen: Counter[str] = field(default_factory=Counter)
    """Answers by who gave them: `api 1a2b3c`, `page 4d5e6f`."""

    def report(self, lasted: float) -> dict[str, Any]:
        """Return the figures as JSON can hold them; times in seconds."""
        return {
            "seconds": round(lasted, 1),
            "requests": self.requests,
            "fresh": self.fresh,
            "pages": self.pages,
            "failed": [asdict(each) for each in self.failed],
            "mixed": [asdict(each) for each in self.mixed],
            "p50": quantile(self.seconds, 0.50),
            "p99": quantile(self.seconds, 0.99),
            "max": quantile(self.seconds, 1),
            "lag_p99": quantile(self.lags, 0.99),
            "lag_max": quantile(self.lags, 1),
            "seen": dict(self.seen),
        }


def quantile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least a part of all do not exceed; 0 where there is none."""
    if not values:
        return 0.0
    return round(sorted(values)[max(0, math.ceil(part * len(values)) - 1)], 4)
