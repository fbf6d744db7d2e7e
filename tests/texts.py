"""What no text of the repository may hold, and where it is found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Put together here, so that this file does not hold what it looks for.
UNFINISHED = re.compile("|".join(rf"\b{a}{b}\b" for a, b in (("TO", "DO"), ("FIX", "ME"), ("XX", "X"))))
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:work|ro" + r"ot|home/\w+)/")


def shown(file: Path) -> str:
    """Return a file's path as a person names it."""
    return file.relative_to(ROOT).as_posix()


def places(pattern: re.Pattern[str], files: Iterable[Path]) -> list[str]:
    """Return where a pattern is found, as file and line."""
    return [
        f"{shown(file)}:{number}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
