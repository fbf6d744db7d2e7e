"""What a Dagger error holds that a person needs: the last lines of a failed command, or the cause."""

from __future__ import annotations

import re

import dagger

from planera_ci.errors import last_lines

_NOISE = re.compile(r"\s*\[traceparent:[^\]]*\]|\s*traceparent:\S+")


def tail_of(error: dagger.QueryError, count: int = 20) -> str:
    """Return the end of what a failed command printed."""
    if not isinstance(error, dagger.ExecError):
        return ""
    return last_lines("\n".join(filter(None, [error.stdout, error.stderr])), count)


def cause_of(error: dagger.QueryError) -> str:
    """Return the innermost cause of an engine's chain of errors, in one line."""
    if isinstance(error, dagger.ExecError):
        return f"exit code {error.exit_code}"
    lines = [line.strip() for line in _NOISE.sub("", str(error)).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
