"""Reads `dagger call …` as the CLI does: flags of the module, the function, flags of the function, what follows it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from planera_ci.main import PlaneraCi

MODULE: Any = vars(PlaneraCi)["__dagger_module__"]
_MAIN = MODULE.get_object("PlaneraCi")
FUNCTIONS: dict[str, Any] = {name: function for name, function in _MAIN.functions.items() if name}
SETTINGS = frozenset(each.name for each in _MAIN.get_constructor().parameters.values())
_SPAN = re.compile(r"`([^`\n]+)`")
_CALL = re.compile(r"\bcall(?= |$)")
_END = re.compile(r"\s*(?:[|;#]|&&|2?>).*", re.DOTALL)
_CLI = {"output", "json", "mod", "progress", "silent", "o", "j", "m", "s", "q", "help"}
"""Flags that are the CLI's own."""
_SWITCHES = {"json", "silent", "j", "s", "q", "help"}


@dataclass(frozen=True)
class Call:
    """A call of this module: the function, and flags that stand before and behind it."""

    function: str
    settings: tuple[str, ...]
    flags: tuple[str, ...]

    def unknown(self) -> list[str]:
        """Return what the module does not have."""
        if self.function not in FUNCTIONS:
            return [self.function]
        known = {*(each.name for each in FUNCTIONS[self.function].parameters.values()), *_CLI}
        return [*(f for f in self.settings if f not in SETTINGS | _CLI), *(f for f in self.flags if f not in known)]


def spans(text: str) -> Iterator[str]:
    """Yield what a page has between backticks."""
    yield from (found[1] for found in _SPAN.finditer(text))


def call_of(text: str) -> Call | None:
    """Return the call that a command makes; nothing if it makes none, or leaves the function open."""
    if not re.match(r"(?:\$\(|lab/lab run -- |[A-Z_]+=\S+ )*dagger ", text) or not (found := _CALL.search(text)):
        return None
    settings, rest = _flags(_words(text[found.end() :]), set())
    if not rest or not re.fullmatch(r"[a-z]+", rest[0]):
        return None
    return _behind(rest, settings)


def verb_of(span: str) -> Call | None:
    """Return the call that a span means which begins with a function and has a flag: `deploy --env staging`."""
    words = _words(span)
    if len(words) < 2 or words[0] not in FUNCTIONS or not words[1].startswith("--"):
        return None
    return _behind(words, ())


def _behind(words: list[str], settings: tuple[str, ...]) -> Call:
    """Return the call of a function; what follows its flags is a call of what it returns."""
    return Call(words[0], settings, _flags(words[1:], _switches(words[0]))[0])


def _switches(function: str) -> set[str]:
    """Return the flags that need no value."""
    parameters = FUNCTIONS[function].parameters.values() if function in FUNCTIONS else ()
    return {each.name for each in parameters if each.resolved_type is bool}


def _words(text: str) -> list[str]:
    return shlex.split(_END.sub("", text.replace("\\\n", " ")).replace("'", ""))


def _flags(words: list[str], switches: set[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the flags at the beginning, and the words from the first on that is neither one nor its value."""
    flags, rest = [], list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        name, given, _ = word.lstrip("-").partition("=")
        flags.append(name)
        if rest and not given and name not in switches | _SWITCHES:
            rest.pop(0)
    return tuple(flags), rest
