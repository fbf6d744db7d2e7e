"""What the pipeline reads from a Dockerfile: whether it has a stage of a name, and where an instruction stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CONTINUED = re.compile(r"\\[ \t]*\n")
_STAGE = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*\S+\s+AS\s+(\S+)\s*$", re.IGNORECASE)
_RUN = re.compile(r"^\s*RUN\s+(?:--\S+\s+)*(.+)$", re.IGNORECASE | re.DOTALL)
_TOLD = re.compile(r"(?:parse error on|Dockerfile:)\s*(?:line )?(\d+)")


def has_stage(text: str, name: str) -> bool:
    """Tell whether a stage of this name can be built; stage names ignore case."""
    stages = (match.group(1) for _, line in _instructions(text) if (match := _STAGE.match(line)))
    return any(stage.lower() == name.lower() for stage in stages)


def line_of(text: str, command: str, cause: str) -> int:
    """Return the line of the RUN that ran a command, or that a parser's message tells; 0 if neither is known."""
    if told := _TOLD.search(cause):
        return int(told[1])
    wanted = _words(command)
    for number, line in _instructions(text):
        if wanted and (match := _RUN.match(line)) and _words(match[1]) == wanted:
            return number
    return 0


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """Return each instruction in one line, with the number of the line that it begins in."""
    number = 1
    for part in re.split(r"(?<!\\)\n", _CONTINUED.sub("\\\\\n", text)):
        yield number, part.replace("\\\n", " ")
        number += part.count("\n") + 1


def _words(command: str) -> list[str]:
    return command.replace("\\", " ").split()
