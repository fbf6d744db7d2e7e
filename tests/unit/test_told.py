"""What the CLI shows of an error: our sentence, and no traceback of ours around it."""

from __future__ import annotations

import pytest
from dagger.mod._exceptions import FunctionError

from planera_ci.errors import BuildError, LockHeld, PlaneraError
from planera_ci.told import plainly


def _raise(error: BaseException) -> None:
    with plainly():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        LockHeld("deploy planera to staging", "the lock is held by another run", tail="its last line"),
        ExceptionGroup("g", [OSError("x"), ExceptionGroup("h", [LockHeld("deploy planera to staging", "it is held")])]),
    ],
    ids=["alone", "in-a-group"],
)
def test_our_error_is_told_as_its_sentence(error: Exception) -> None:
    """The sentence stands alone, also out of a group, and nothing is chained to it."""
    with pytest.raises(FunctionError) as told:
        _raise(error)
    assert str(told.value).startswith("deploy planera to staging: ")
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__ is True


def test_error_is_told_under_the_modules_name() -> None:
    """The SDK shows the name of an error's class; ours says who speaks."""
    with pytest.raises(FunctionError) as told:
        _raise(BuildError("build backend", "exit code 1"))
    assert (type(told.value).__module__, type(told.value).__qualname__) == ("builtins", "planera-ci")


@pytest.mark.parametrize("error", [KeyError("k"), ExceptionGroup("g", [KeyError("k"), ValueError("v")])])
def test_foreign_error_is_raised_as_itself(error: Exception) -> None:
    """A mistake of the program keeps its kind and its traceback."""
    with pytest.raises(KeyError, match="k"):
        _raise(error)


def test_nothing_is_told_where_nothing_fails() -> None:
    """A block that ends well ends as it is."""
    with plainly():
        assert issubclass(BuildError, PlaneraError)
