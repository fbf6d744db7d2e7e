"""What a text is, and what is told of one."""

import json
from typing import Any

LONGEST = 100_000  # characters


class Refused(Exception):
    """A request that cannot be served; the message says why."""


def text_of(body: bytes) -> str:
    """Return the text that a request brings."""
    try:
        text = json.loads(body)["text"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise Refused('send {"text": "…"} as JSON') from None
    if not isinstance(text, str) or not text.strip():
        raise Refused("text is a string that is not empty")
    if len(text) > LONGEST:
        raise Refused(f"text is too long: at most {LONGEST} characters")
    # Postgres keeps neither NUL nor half of a surrogate pair.
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused("text holds a character that is none")
    return text


def answer_of(number: int, counts: dict[str, Any] | None) -> tuple[dict[str, Any], int]:
    """Return what is told of a text, and with which status: 202 until the worker has been there."""
    if counts is None:
        return {"id": number, "state": "waits"}, 202
    return {"id": number, "state": "counted", **counts}, 200
