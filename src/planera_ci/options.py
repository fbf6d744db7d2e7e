"""What may be decided about a change of an environment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What a user decides by flags, and the environment by its place."""

    within: float
    """Seconds that each wave of workloads may take."""
    wait: float
    """Seconds to wait for the lock."""
    undo: bool = True
    """Whether a failure is rolled back."""
    careful: bool = False
    """Whether the database is backed up before a Job of a release runs."""
