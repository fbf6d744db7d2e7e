"""The committer's date of a commit, from git's own files: a loose object or the start of a pack.

A pack begins with its commits, and a checkout of depth one holds a single one, never as a delta
(gitformat-pack); so nothing else of the format is needed.
"""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime

_PACK = b"PACK"
_HEADER = 12
_COMMIT = 1
_COMMITTER = re.compile(rb"^committer .*> (\d+) [+-]\d{4}$", re.MULTILINE)


def committed_at(data: bytes) -> str:
    """Return the date as RFC 3339 in UTC, or nothing where the bytes hold no commit."""
    try:
        text = _packed(data) if data.startswith(_PACK) else _loose(data)
    except (zlib.error, IndexError):  # no git object, or one cut short
        return ""
    match = _COMMITTER.search(text)
    if not match:
        return ""
    return datetime.fromtimestamp(int(match[1]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _loose(data: bytes) -> bytes:
    """Return a loose object's text, if it is a commit."""
    text = zlib.decompressobj().decompress(data)
    return text if text.startswith(b"commit ") else b""


def _packed(data: bytes) -> bytes:
    """Return the text of a pack's first object, if it is a commit."""
    at = _HEADER
    kind = data[at] >> 4 & 0b111
    while data[at] & 0x80:
        at += 1
    return zlib.decompressobj().decompress(data[at + 1 :]) if kind == _COMMIT else b""
