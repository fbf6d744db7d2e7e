"""Cookies as a browser keeps them, as far as a proxy's own ones need it: path, age, replacement."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cookie:
    """One cookie of one host."""

    value: str
    path: str
    ends: float

    def sent_to(self, path: str) -> bool:
        """Tell whether a request has it: RFC 6265, 5.1.4."""
        inside = path.startswith(self.path) and (self.path.endswith("/") or path[len(self.path) :][:1] in {"", "/"})
        return inside and time.monotonic() < self.ends


@dataclass
class Jar:
    """The cookies of one browser, for one host."""

    _kept: dict[tuple[str, str], Cookie] = field(default_factory=dict)

    def header(self, path: str) -> dict[str, str]:
        """Return what a request to a path says of cookies, which may be nothing."""
        asked = path.partition("?")[0]
        found = [f"{name}={kept.value}" for (name, _), kept in self._kept.items() if kept.sent_to(asked)]
        return {"Cookie": "; ".join(found)} if found else {}

    def take(self, lines: list[str], path: str) -> None:
        """Keep what an answer to a path sets."""
        for line in lines:
            pair, *rest = (part.strip() for part in line.split(";"))
            name, _, value = pair.partition("=")
            attributes = {key.strip().lower(): told for key, _, told in (part.partition("=") for part in rest)}
            where = attributes.get("path", "")
            if not where.startswith("/"):
                where = path.partition("?")[0].rpartition("/")[0] or "/"
            age = attributes.get("max-age")
            ends = time.monotonic() + float(age) if age else float("inf")
            self._kept[name, where] = Cookie(value, where, ends)
