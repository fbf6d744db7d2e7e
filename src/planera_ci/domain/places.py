"""Where in the sources a failure lies: the file and line that a log, or an object's name, leads to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PYTHON = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)')
_COLUMN = re.compile(r"(?P<path>[\w./@+-]*\w\.\w+):(?P<line>\d+):\d+")
_PLAIN = re.compile(r"(?P<path>[\w./@+-]*\w\.\w+):(?P<line>\d+)(?!\d|:\d)")
_FOREIGN = ("site-packages/", "node_modules/", "/usr/lib/", "/usr/local/lib/", "node:internal")


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    path: str
    line: int


def in_log(log: str, files: Iterable[str], component: str) -> Place | None:
    """Return the line of a component's own code, or of any file, that the end of a log names: a trace's innermost."""
    folder = f"{component}/" if component else ""
    own = {path.removeprefix(folder): path for path in files if path.startswith(folder)}
    # Python and pytest name the innermost frame last; what writes a column, as Node.js does, first.
    for pattern, innermost in ((_PYTHON, -1), (_COLUMN, 0), (_PLAIN, -1)):
        found = [(path, int(match["line"])) for match in pattern.finditer(log) if (path := _own(match["path"], own))]
        if found:
            return Place(*found[innermost])
    return None


def _own(named: str, own: Mapping[str, str]) -> str:
    """Return the file of the component that a path of its container names."""
    if any(mark in named for mark in _FOREIGN):
        return ""
    matches = [path for path in own if named == path or named.endswith(f"/{path}")]
    return own[max(matches, key=len)] if matches else ""


def in_manifests(files: Mapping[str, str], kind: str, name: str) -> Place | None:
    """Return the line where an object's document begins to say what it is."""
    for path, text in sorted(files.items()):
        seen = 0
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("---"):
                seen = 0
            elif line.rstrip().lower() == f"kind: {kind}".lower():
                seen = number
            elif seen and re.fullmatch(rf"  name:\s*[\"']?{re.escape(name)}[\"']?\s*(#.*)?", line):
                return Place(path, seen)
    return None
