"""What a step tells the runner: commands in its log, and lines in the files that it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LEVELS = ("error", "warning", "notice")


@dataclass(frozen=True)
class Annotation:
    """What GitHub shows beside a run, and beside a line of a file if one is named."""

    level: str
    message: str
    where: Mapping[str, str]


def shown_by(log: str) -> list[Annotation]:
    """Return the annotations that a log holds; GitHub takes them wherever a line begins with one."""
    commands = [line.lstrip()[2:].partition("::") for line in log.splitlines() if line.lstrip()[:2] == "::"]
    named = [(*command.partition(" "), message) for command, _, message in commands]
    return [Annotation(level, plain(said), _where(at)) for level, _, at, said in named if level in _LEVELS]


def _where(text: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split(",") if part)
    return {key.strip(): plain(value) for key, _, value in parts}


def plain(text: str) -> str:
    """Return what was escaped to stand in a command of one line."""
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def pairs(text: str) -> dict[str, str]:
    """Read what a step wrote to GITHUB_OUTPUT or GITHUB_ENV; GitHub fails the step for a line of another form."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        if not line:
            continue
        sign = re.search(r"=|<<", line)
        assert sign, f"GitHub refuses the line {line!r}"
        name, rest = line[: sign.start()], line[sign.end() :]
        found[name] = rest if sign[0] == "=" else "\n".join(iter(lambda: next(lines), rest))
    return found
