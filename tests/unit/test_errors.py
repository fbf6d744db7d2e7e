"""Errors as sentences that stand alone, and the one that matters out of many."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from planera_ci import errors
from planera_ci.errors import ConfigError, PlaneraError, RolloutError, first_error, last_lines

ALL = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, PlaneraError)]


@pytest.mark.cases("errors")
def test_message_is_a_sentence_that_stands_alone(case: Any) -> None:
    """Act, observation, remedy and log's end are joined so that the text alone is enough."""
    assert str(PlaneraError(*case["parts"], tail=case.get("tail", ""))) == case["sentence"]


@pytest.mark.parametrize("cls", ALL)
def test_every_error_keeps_its_parts(cls: type[PlaneraError]) -> None:
    """Code reads the parts of an error, never its text."""
    error = cls("act", "observed", "remedy", tail="tail")
    assert (error.act, error.observed, error.remedy, error.tail) == ("act", "observed", "remedy", "tail")
    assert str(error) == "act: observed. Remedy.\n    tail"


@pytest.mark.parametrize("cls", ALL)
def test_every_error_stands_in_the_tree(cls: type[PlaneraError]) -> None:
    """The tree at the top of the module shows every class."""
    assert cls.__name__ in (errors.__doc__ or "")


def test_error_without_a_group_is_itself() -> None:
    """What no task group wrapped stays as it is."""
    error = KeyError("x")
    assert first_error(error) is error


def test_our_error_is_found_in_nested_groups() -> None:
    """A group in a group hides an error from people; the first of ours is what they need."""
    ours = RolloutError("deploy", "not ready")
    group = BaseExceptionGroup("a", [ExceptionGroup("b", [OSError("x"), ExceptionGroup("c", [ours])]), ValueError("y")])
    assert first_error(group) is ours


def test_first_of_ours_wins() -> None:
    """Of several of ours the first is told, since the others may follow from it."""
    first, second = ConfigError("a", "b"), RolloutError("c", "d")
    assert first_error(ExceptionGroup("g", [KeyError("k"), ExceptionGroup("h", [first]), second])) is first


def test_foreign_error_is_told_where_there_is_none_of_ours() -> None:
    """With none of ours, the first error is told rather than the group."""
    error = OSError("disk")
    assert first_error(ExceptionGroup("g", [ExceptionGroup("h", [error]), ValueError("v")])) is error


def test_last_lines_leave_out_empty_ones() -> None:
    """The end of a log is its last lines that hold something, without their trailing spaces."""
    assert last_lines("a\n\nb  \n   \nc\n\n", 2) == "b\nc"
    assert last_lines("") == ""
    assert len(last_lines("x\n" * 50).splitlines()) == 20
