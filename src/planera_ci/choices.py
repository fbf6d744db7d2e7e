"""The choices that an argument may have."""

from __future__ import annotations

import enum

import dagger


@dagger.enum_type
class Format(enum.Enum):
    """How a report is shown."""

    TEXT = "text"
    """For people."""

    JSON = "json"
    """For programs."""
