"""What a task is and what input makes one. Pure: no HTTP, no database."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

MAX_TITLE = 200


class InvalidTask(Exception):
    """The input is no task; the message is meant for the person who sent it."""


@dataclass(frozen=True)
class Task:
    """One thing to do."""

    id: int
    title: str
    due: date | None
    done: bool
    created: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the task with dates as ISO 8601 text."""
        due = self.due.isoformat() if self.due else None
        return asdict(self) | {"due": due, "created": self.created.isoformat()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Task":
        """Read back what `to_json` wrote."""
        return cls(
            id=data["id"],
            title=data["title"],
            due=date.fromisoformat(data["due"]) if data["due"] else None,
            done=data["done"],
            created=datetime.fromisoformat(data["created"]),
        )


def new_task(data: Any) -> dict[str, Any]:
    """Check the fields of a task to create."""
    fields = checked(data, allowed=("title", "due"))
    if "title" not in fields:
        raise InvalidTask("title is required")
    return {"due": None} | fields


def changes(data: Any) -> dict[str, Any]:
    """Check the fields of a task to change."""
    fields = checked(data, allowed=("title", "due", "done"))
    if not fields:
        raise InvalidTask("nothing to change: give title, due or done")
    return fields


def checked(data: Any, allowed: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields with their values converted, or say which one is wrong."""
    if not isinstance(data, dict):
        raise InvalidTask("the body must be a JSON object")
    unknown = sorted(set(data) - set(allowed))
    if unknown:
        raise InvalidTask(f"unknown field {ascii(unknown[0][:40])}: known are {', '.join(allowed)}")
    return {name: CHECKS[name](value) for name, value in data.items()}


def title_of(value: Any) -> str:
    """Return the title without surrounding white space."""
    if not isinstance(value, str):
        raise InvalidTask("title must be text")
    title = value.strip()
    if not title:
        raise InvalidTask("title is required")
    if len(title) > MAX_TITLE:
        raise InvalidTask(f"title is too long: {len(title)} characters, at most {MAX_TITLE}")
    # Control characters and lone surrogates are valid JSON; Postgres cannot store all of them.
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in title):
        raise InvalidTask("title has characters that cannot be shown")
    return title


def due_of(value: Any) -> date | None:
    """Return the due date; null and the empty text mean none."""
    if value is None or value == "":
        return None
    try:
        # fromisoformat also takes week dates and dates without hyphens.
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise InvalidTask("due must be a date like 2026-12-31, or null") from None


def done_of(value: Any) -> bool:
    """Return whether the task is done."""
    if not isinstance(value, bool):
        raise InvalidTask("done must be true or false")
    return value


CHECKS = {"title": title_of, "due": due_of, "done": done_of}
