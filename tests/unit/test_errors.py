"""Errors as sentences that stand alone, and the one that matters out of many."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from planera_ci import errors
from planera_ci.errors import ConfigError, PlaneraError, Rejected, RolloutError, first_error, last_lines

ALL = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, PlaneraError)]
_BRANCH = re.compile(r"^    ([│ ]*)[├└]── (\w+) +(\S.*)$")


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


def _tree() -> dict[str, str]:
    """Return the class above each class, as the tree at the top of the module shows it."""
    above: dict[str, str] = {}
    path = [PlaneraError.__name__]
    for line in (errors.__doc__ or "").splitlines():
        branch = _BRANCH.match(line)
        if branch:
            depth = len(branch[1]) // 4 + 1
            above[branch[2]] = path[depth - 1]
            path[depth:] = [branch[2]]
    return above


def test_tree_shows_every_error_under_its_own() -> None:
    """The tree at the top of the module is that of the classes."""
    assert _tree() == {cls.__name__: cls.__base__.__name__ for cls in ALL if cls is not PlaneraError and cls.__base__}


@pytest.mark.parametrize("cls", ALL)
def test_every_error_is_caught_as_what_it_is(cls: type[PlaneraError]) -> None:
    """Who expects a class of the tree gets what stands below it, and nothing that stands beside it."""
    parents = [parent for parent in ALL if issubclass(cls, parent)]
    for parent in parents:
        with pytest.raises(parent, match=r"^apply x: it was refused\. Correct it\.$") as raised:
            raise cls("apply x", "it was refused", "correct it")
        assert type(raised.value) is cls
    others = set(ALL) - set(parents)
    assert not isinstance(cls("a", "b"), tuple(others))


def test_lost_race_is_a_refusal_that_can_be_told_apart() -> None:
    """Who takes a lock catches the lost race alone; all others may treat it as a refusal."""
    assert issubclass(errors.Conflict, Rejected)
    assert not issubclass(Rejected, errors.Conflict)
    assert not issubclass(errors.LockLost, Rejected), "a lost lock is never taken for a refused object"


def test_rollout_error_carries_its_verdict() -> None:
    """What a program needs of a failed rollout travels beside the sentence, not in it."""
    verdict = object()
    error = RolloutError("deploy", "not ready", "look", tail="the end", verdict=verdict)
    assert error.verdict is verdict
    assert str(error) == "deploy: not ready. Look.\n    the end"
    assert RolloutError("deploy", "not ready").verdict is None


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
