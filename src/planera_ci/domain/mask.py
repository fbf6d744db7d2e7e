"""Hide secret values wherever they turn up in text: as they are, and as logs, JSON, URLs and Secrets write them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4
"""Shorter values are not hidden: they would take half of every text with them."""
_LONG_LINE = 16
"""A line of a longer secret, such as a private key, is hidden on its own: logs wrap."""
_DEEP = 3
"""JSON inside JSON inside JSON: an object's annotation with a log line that is JSON."""
_INNER = 8
"""Letters of base64 that a value must fill where it is encoded together with what stands around it."""
_WRAPPED = (64, 76)
"""Columns at which programs break lines of base64."""


def masked(text: str, values: Iterable[str]) -> str:
    """Return the text with every form of every value replaced."""
    forms = {form for value in values if len(value.strip()) >= _SHORTEST for form in _forms(value)}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        text = text.replace(form, MASK)
    return text


def _forms(value: str) -> set[str]:
    bare = value.strip()
    lines = (line.strip() for line in bare.splitlines())
    forms = {value, bare, *(line for line in lines if len(line) >= _LONG_LINE)}
    for text in {value, bare}:
        forms |= {*_quoted(text), *_in_base64(text.encode()), text.encode().hex(), text.encode().hex().upper()}
    return forms


def _quoted(text: str) -> Iterator[str]:
    """Yield a value as a part of a URL, of JSON, of YAML and of a Python string."""
    yield from (quote(text, safe=""), quote(text), quote_plus(text))
    yield text.replace("'", "''")
    yield repr(text)[1:-1]
    for ascii_only in (True, False):
        inner = text
        for _ in range(_DEEP):
            inner = json.dumps(inner, ensure_ascii=ascii_only)[1:-1]
            yield inner
            yield inner.replace("/", "\\/")


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield a value in base64: alone, broken into lines, and inside something longer, such as USER:TOKEN."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        yield from (whole, whole.rstrip("="))
        for columns in _WRAPPED:
            lines = (whole[at : at + columns] for at in range(0, len(whole), columns))
            yield from (line for line in lines if len(line) >= _LONG_LINE)
        for before in range(3):
            # The letters that hold nothing but bits of the value: six to a letter, eight to a byte.
            inner = encode(bytes(before) + data).decode()[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
            if len(inner) >= _INNER:
                yield inner
