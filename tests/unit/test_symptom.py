"""How long a trouble may last, and which of its messages is told."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from planera_ci.domain import symptom as sy
from planera_ci.domain.symptom import NO_END, Failure, First, Symptom, due, grace_of, judged, remembered


@pytest.mark.cases("symptom")
def test_trouble_lasts_as_long_as_it_may(case: Any) -> None:
    """Seen again and again, a trouble fails in the moment in which its grace ends, with the message that says why."""
    firsts: dict[str, First] = {}
    for step in case["steps"]:
        now, grace = float(step["at"]), case.get("grace")
        seen = [Symptom(**each) for each in step["symptoms"]]
        failure = judged(seen, firsts, now, grace)
        assert failure == (Failure(**step["fails"]) if "fails" in step else None), step
        if "due" in step:
            assert due(seen, firsts, now, grace) == (NO_END if step["due"] == "never" else step["due"]), step
        firsts = remembered(firsts, seen, now)
        if "remembers" in step:
            assert {mark: first.at for mark, first in firsts.items()} == step["remembers"], step


def test_nothing_is_due_before_a_failure() -> None:
    """A grace ends for the one who judges and for the one who sleeps until then at the same moment."""
    for grace in (0.5, 30.0, 120.0):
        for since in (0.0, 40.0):
            trouble = [Symptom(sy.REGISTRY, "no answer", mark="a", since=since, grace=grace)]
            firsts = remembered({}, trouble, 50.0)
            end = due(trouble, firsts, 50.0)
            assert judged(trouble, firsts, end - 0.001) is None
            assert judged(trouble, firsts, end) is not None


def test_graces_are_those_that_are_promised() -> None:
    """A change of a grace is a change of what users are told, not of a number."""
    assert (sy.REGISTRY_GRACE, sy.SCHEDULING_GRACE, sy.VOLUME_GRACE) == (120.0, 30.0, 90.0)
    assert (sy.REFUSAL_GRACE, sy.STARTED_GRACE, sy.STARTING_GRACE, sy.LOGIN_GRACE) == (60.0, 60.0, 120.0, 30.0)


def test_classes_are_words_of_their_own() -> None:
    """A class of reason is a word that programs can rely on, and no two are the same."""
    classes = (sy.IMAGE, sy.CONFIG, sy.CRASH, sy.PROBE, sy.SCHEDULING, sy.QUOTA, sy.ADMISSION, sy.REGISTRY, sy.SLOW)
    assert len(set(classes)) == len(classes)
    assert all(name.isalpha() and name.islower() for name in classes)


def test_failure_holds_what_a_symptom_knows() -> None:
    """Where a trouble is, a failure says too."""
    assert {field.name for field in fields(Failure)} - {"decided"} <= {field.name for field in fields(Symptom)}


@pytest.mark.parametrize(
    ("annotations", "grace"),
    [
        ({sy.GRACE_ANNOTATION: "15"}, 15.0),
        ({sy.GRACE_ANNOTATION: "0"}, 0.0),
        ({sy.GRACE_ANNOTATION: "2.5"}, 2.5),
        ({sy.GRACE_ANNOTATION: "2."}, None),
        ({sy.GRACE_ANNOTATION: "-1"}, None),
        ({sy.GRACE_ANNOTATION: "1e3"}, None),
        ({sy.GRACE_ANNOTATION: " 15"}, None),
        ({sy.GRACE_ANNOTATION: "²"}, None),
        ({sy.GRACE_ANNOTATION: ""}, None),
        ({"other": "15"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_grace_is_a_plain_number_of_seconds(annotations: dict[str, str] | None, grace: float | None) -> None:
    """What a person writes as seconds is read as such, and nothing else is."""
    assert grace_of(annotations) == grace
