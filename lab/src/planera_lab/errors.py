"""The one error that the lab raises for what a user can act on: a sentence that stands alone."""

from __future__ import annotations


class LabError(Exception):
    """Something that the user can read, understand and act on without the source."""
