"""Finds the commands that a page of Markdown shows, with their output and with what is said of who runs them.

A block is indented by four or fenced. It is one of commands if a line of it begins with `$ `: what follows such a line
is its output; or if each of its lines begins with a program, and then no output is shown. A comment before a block,
which a reader does not see, says where its commands are run; one that begins with `page` says it for the whole page:

    <!-- run when deployed -->              by tests/e2e/test_docs.py, in this state of an application
    <!-- run by tests/e2e/test_data.py -->  by a test that does the same in its own words
    <!-- not run: the reason -->
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tests.docs.files import documents
from tests.texts import ROOT, shown

PROGRAMS = frozenset(
    {"dagger", "kubectl", "make", "git", "gh", "docker", "helm", "python", "python3", ".venv/bin/python", "pip", "npm"}
    | {"pytest", "lab/lab", "cp", "mv", "cd", "ls", "rm", "mkdir", "cat", "head", "tail", "tar", "sed", "grep", "diff"}
    | {"jq", "curl", "export", "eval", "echo", "pg_restore", "pg_dump", "sha256sum", "crictl"}
)
"""First words of a command where no `$` says that it is one."""
SHELLS = {"sh", "bash", "shell", "console"}
_FIRST = {"README.md", "docs/getting-started.md"}
_FENCE = re.compile(r"\s*```\s*(\w*)")
_SAID = re.compile(r"<!-- (?P<page>page )?(?P<kind>run when|run by|not run:) (?P<what>.+?) -->")
_SETTING = re.compile(r"\w+=\S* ")


@dataclass(frozen=True)
class Mark:
    """Who runs the commands of a block."""

    kind: str
    what: str


@dataclass(frozen=True)
class Command:
    """One command as a reader types it."""

    page: str
    line: int
    text: str
    mark: Mark | None = None
    shown: tuple[str, ...] = ()
    """The output that the page shows; none if it shows none."""
    before: tuple[str, ...] = ()
    """What the same block has set or entered until then, by `export` and `cd`; but for what is left open."""

    def __str__(self) -> str:
        """Name the place, for a message."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Block:
    """Lines that are shown as they are."""

    top: int
    """Index of the first line, which may be the fence."""
    begin: int
    """Index of the first line that is shown."""
    lines: tuple[str, ...]
    language: str = ""


def pages() -> list[str]:
    """Return every page of this repository, as one reads them: the first two, those of the root, the others."""
    return sorted(map(shown, documents()), key=lambda page: (page not in _FIRST, page.count("/"), page))


def read(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def commands() -> list[Command]:
    """Return every command of every page."""
    return [command for page in pages() for command in commands_of(page, read(page))]


def commands_of(page: str, text: str) -> Iterator[Command]:
    """Yield the commands of a page."""
    lines = text.splitlines()
    said = [_SAID.fullmatch(line.strip()) for line in lines]
    everywhere = next((found for found in said if found and found["page"]), None)
    for block in blocks(lines):
        above = next((at for at in range(block.top - 1, -1, -1) if lines[at].strip()), None)
        found = everywhere if above is None else said[above] or everywhere
        yield from _of_block(page, block, Mark(found["kind"], found["what"]) if found else None)


def blocks(lines: list[str]) -> Iterator[Block]:
    """Yield the blocks of a page."""
    at = 0
    while at < len(lines):
        top, fence = at, _FENCE.match(lines[at])
        if fence:
            end = next((n for n in range(top + 1, len(lines)) if _FENCE.match(lines[n])), len(lines))
            yield Block(top, top + 1, tuple(lines[top + 1 : end]), fence[1])
            at = end + 1
        elif _indented(lines[at]) and (at == 0 or not lines[at - 1].strip()):
            while at < len(lines) and (_indented(lines[at]) or not lines[at].strip()):
                at += 1
            yield Block(top, top, tuple(textwrap.dedent("\n".join(lines[top:at])).splitlines()))
        else:
            at += 1


def _indented(line: str) -> bool:
    return line.startswith("    ") and bool(line.strip()) and not line.lstrip().startswith("<!--")


def _of_block(page: str, block: Block, mark: Mark | None) -> Iterator[Command]:
    """Yield the commands of a block; none if it shows something else."""
    prompt = "$ " if any(line.startswith("$ ") for line in block.lines) else ""
    if not prompt and not _typed(block):
        return
    starts = [at for at, line in enumerate(block.lines) if _starts(line, prompt, block.lines[at - 1] if at else "")]
    before: list[str] = []
    for at, following in zip(starts, [*starts[1:], len(block.lines)], strict=True):
        end = at + 1
        while block.lines[end - 1].endswith("\\"):
            end += 1
        text = "\n".join(block.lines[at:end]).removeprefix(prompt)
        shown = _filled(block.lines[end:following]) if prompt else ()
        yield Command(page, block.begin + at + 1, text, mark, shown, tuple(before))
        if first_word(text) in {"export", "cd"} and "…" not in text:
            before.append(text)


def _starts(line: str, prompt: str, above: str) -> bool:
    """Tell whether a command begins with this line."""
    return bool(line.strip()) and line.startswith(prompt) and not line.startswith("#") and not above.endswith("\\")


def _typed(block: Block) -> bool:
    """Tell whether a block without a `$` shows commands."""
    given = [line for line in block.lines if line.strip() and not line.startswith((" ", "#"))]
    return block.language in SHELLS or (not block.language and bool(given) and all(map(_is_command, given)))


def _is_command(line: str) -> bool:
    return first_word(line) in PROGRAMS


def first_word(line: str) -> str:
    """Return the program of a command, behind the variables that are set for it."""
    while _SETTING.match(line):
        line = _SETTING.sub("", line, count=1)
    return (line.split() or [""])[0]


def _filled(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Leave empty lines at the end out."""
    kept = list(lines)
    while kept and not kept[-1].strip():
        kept.pop()
    return tuple(kept)
