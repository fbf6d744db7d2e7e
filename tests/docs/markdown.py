"""Markdown as far as links need it: where they lead, and the anchors that GitHub gives headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
_INLINE = re.compile(r"\]\(<?(?P<to>[^\s()<>]*(?:\([^\s()]*\))?)>?(?:\s+\"[^\"]*\")?\)")
_DEFINED = re.compile(r" {0,3}\[(?P<name>[^\]]+)\]:\s*<?(?P<to>[^\s<>]+)>?")
_REFERRED = re.compile(r"\[[^\[\]]+\]\[(?P<name>[^\[\]]+)\]")
_HTML = re.compile(r"<(?:a|img)\s[^>]*?(?:href|src)=\"(?P<to>[^\"]*)\"")
_NAMED = re.compile(r"<[a-z]+\s[^>]*?(?:id|name)=\"(?P<name>[^\"]+)\"")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(?P<title>.*?)(?:\s+#+)?\s*$")
_LISTED = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")


@dataclass(frozen=True)
class Markdown:
    """One document."""

    text: str

    @cached_property
    def prose(self) -> tuple[tuple[int, str], ...]:
        """The lines that are no code, each with its number."""
        return tuple(_prose(self.text))

    def links(self) -> Iterator[tuple[int, str]]:
        """Yield where each link and picture leads, with its line; a reference without a definition leads to itself."""
        defined = {match["name"].lower() for _, line in self.prose if (match := _DEFINED.match(line))}
        for number, line in self.prose:
            bare = _CODE.sub("``", line)
            for pattern in (_INLINE, _DEFINED, _HTML):
                yield from ((number, match["to"]) for match in pattern.finditer(bare))
            for match in _REFERRED.finditer(bare):
                if match["name"].lower() not in defined:
                    yield number, f"[{match['name']}]"

    @cached_property
    def anchors(self) -> frozenset[str]:
        """The names that a link may have behind its #."""
        seen: Counter[str] = Counter()
        found = set()
        for _, line in self.prose:
            if heading := _HEADING.match(line):
                name = slug(heading["title"])
                found.add(f"{name}-{seen[name]}" if seen[name] else name)
                seen[name] += 1
            found |= {match["name"] for match in _NAMED.finditer(_CODE.sub("", line))}
        return frozenset(found)


def slug(title: str) -> str:
    """Return a heading's anchor: lower case, blanks as hyphens, without marks."""
    plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _prose(text: str) -> Iterator[tuple[int, str]]:
    fence, listed, blank = "", False, True
    for number, line in enumerate(text.splitlines(), 1):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]) else fence
            continue
        if mark:
            fence = mark[1]
            continue
        if line.strip() and not line.startswith(" "):
            listed = bool(_LISTED.match(line))
        # four blanks behind an empty line are code, unless they belong to an item of a list
        if not (line.startswith("    ") and blank and not listed):
            yield number, line
            blank = not line.strip()
