"""What is done once while the lab is up, and again only when it would have another outcome."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planera_lab.settings import Lab


def do(lab: Lab, name: str, content: str, act: Callable[[], None]) -> None:
    """Act, unless that was done with this content since the lab came up."""
    mark, digest = _mark(lab, name), hashlib.sha256(content.encode()).hexdigest()
    if mark.exists() and mark.read_text() == digest:
        return
    act()
    mark.write_text(digest)


def forget(lab: Lab, name: str) -> None:
    """Have it done again the next time."""
    _mark(lab, name).unlink(missing_ok=True)


def _mark(lab: Lab, name: str) -> Path:
    return lab.run / f"{name}.done"
