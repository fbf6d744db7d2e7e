"""The expressions of GitHub Actions, as far as the workflows here use them; anything else is an error.

A name that nobody has given is an error, too: GitHub takes it for an empty string, and a misspelt secret
becomes an empty one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<sign>\|\||&&|==|!=|!|\(|\)|\.))"
)
_WORDS = {"true": True, "false": False, "null": None}
_STATES: Mapping[str, Callable[[bool], bool]] = {
    "success": lambda failed: not failed,
    "failure": lambda failed: failed,
    "always": lambda _failed: True,
}


class UnknownExpressionError(Exception):
    """An expression that is not understood, or names something that nobody has given."""


class Outputs(dict[str, str]):
    """Outputs of a step: what it did not write is empty, as on GitHub, for a step may fail before it writes."""

    def __missing__(self, key: str) -> str:
        return ""


def places(value: Any) -> Iterator[str]:
    """Yield every expression in a value of a workflow, however deep."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from places(key)
            yield from places(item)
    elif isinstance(value, list):
        for item in value:
            yield from places(item)
    elif isinstance(value, str):
        yield from (match[1].strip() for match in _PLACE.finditer(value))


def filled(value: Any, contexts: Mapping[str, Any]) -> str:
    """Return a value of a workflow as text, its expressions replaced by what they come to."""
    return _PLACE.sub(lambda match: shown(evaluated(match[1], contexts)), shown(value))


def holds(condition: str | None, contexts: Mapping[str, Any], *, failed: bool) -> bool:
    """Tell whether an `if:` lets a step or job run; without a word about the state it means: after success."""
    if condition is None:
        return not failed
    match = _PLACE.fullmatch(condition.strip())
    parser = _Parser(match[1] if match else condition, contexts, failed=failed)
    value = truth(parser.parsed())
    return value and (parser.asked or not failed)


def evaluated(expression: str, contexts: Mapping[str, Any]) -> Any:
    """Return the value of an expression."""
    return _Parser(expression, contexts).parsed()


def shown(value: Any) -> str:
    """Return a value as GitHub writes it into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping | list):
        raise UnknownExpressionError(f"{value} is not a text")
    return str(value)


def truth(value: Any) -> bool:
    """Tell what a condition makes of a value."""
    return bool(value) and value == value  # noqa: PLR0124 - not a number is false


def same(one: Any, other: Any) -> bool:
    """Tell whether `==` holds: texts whatever their case, values of two kinds as numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


@dataclass
class _Parser:
    """Evaluates while it reads; `!` binds before comparisons, these before `&&`, that before `||`."""

    text: str
    contexts: Mapping[str, Any]
    failed: bool = field(default=False, kw_only=True)
    asked: bool = field(default=False, init=False)
    """Whether the expression asks for the state of the job."""

    def parsed(self) -> Any:
        self._tokens = self._read()
        self._at = 0
        value = self._or()
        if self._at < len(self._tokens):
            raise self._unknown()
        return value

    def _read(self) -> list[tuple[str, str]]:
        tokens, end, text = [], 0, self.text.rstrip()
        while end < len(text):
            match = _TOKEN.match(text, end)
            if match is None:
                raise self._unknown()
            tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            end = match.end()
        return tokens

    def _unknown(self) -> UnknownExpressionError:
        return UnknownExpressionError(f"{self.text.strip()!r} is not understood")

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._unknown()
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, sign: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign):
            self._at += 1
            return True
        return False

    def _or(self) -> Any:
        value = self._and()
        while self._takes("||"):
            other = self._and()
            value = value if truth(value) else other
        return value

    def _and(self) -> Any:
        value = self._compared()
        while self._takes("&&"):
            other = self._compared()
            value = other if truth(value) else value
        return value

    def _compared(self) -> Any:
        value = self._not()
        if self._takes("=="):
            return same(value, self._not())
        if self._takes("!="):
            return not same(value, self._not())
        return value

    def _not(self) -> Any:
        return not truth(self._not()) if self._takes("!") else self._one()

    def _one(self) -> Any:
        if self._takes("("):
            value = self._or()
            if not self._takes(")"):
                raise self._unknown()
            return value
        kind, word = self._next()
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if kind == "number":
            return float(word)
        if kind == "name":
            return self._named(word)
        raise self._unknown()

    def _named(self, word: str) -> Any:
        if word in _WORDS:
            return _WORDS[word]
        if self._takes("("):
            if word not in _STATES or not self._takes(")"):
                raise self._unknown()
            self.asked = True
            return _STATES[word](self.failed)
        value, path = self.contexts.get(word), word
        while self._takes("."):
            kind, name = self._next()
            path += f".{name}"
            if kind != "name" or not isinstance(value, Mapping):
                raise UnknownExpressionError(f"{path} is not known here")
            try:
                value = value[name]
            except KeyError:
                raise UnknownExpressionError(f"{path} is not known here") from None
        if isinstance(value, Mapping) or path == word:
            raise UnknownExpressionError(f"{path} is not known here")
        return value
