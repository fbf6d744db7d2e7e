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


@dagger.enum_type
class Verb(enum.Enum):
    """What a CI job does."""

    DEPLOY = "deploy"
    """Deploy to an environment."""

    ROLLBACK = "rollback"
    """Put an earlier release back."""

    SMOKE = "smoke"
    """Build, run the application's tests and the smoke test, as for a pull request."""

    BACKUP = "backup"
    """Back the database up; the file is backup.tar."""

    CHECKS = "checks"
    """Check this repository itself."""
