"""Errors as the CLI shows them: our sentences alone, without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dagger.mod._exceptions import FunctionError  # the SDK names it its escape hatch, but does not export it

from planera_ci.errors import PlaneraError, first_error


class _Told(FunctionError):
    """What the CLI shows of a failure: the name below, a colon, and our sentence, with no traceback."""


# The SDK prints an error as MODULE.NAME: MESSAGE and has no other way to choose the words.
_Told.__module__, _Told.__qualname__ = "builtins", "planera-ci"


@contextmanager
def plainly() -> Iterator[None]:
    """Tell our errors as sentences, also those that a task group wrapped; leave all others as they are."""
    try:
        yield
    except (PlaneraError, BaseExceptionGroup) as error:
        cause = first_error(error)
        if isinstance(cause, PlaneraError):
            raise _Told(str(cause)) from None
        raise cause from None
