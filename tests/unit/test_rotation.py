"""The rotation of a value: which are in force and which are accepted at each step, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from planera_ci.domain import rotation as r
from planera_ci.domain.history import values_named
from planera_ci.domain.stages import STAGES, check_rotate
from planera_ci.errors import ConfigError, ManifestError

Refusal = Callable[[type[Exception]], AbstractContextManager[object]]


@pytest.mark.cases("rotation/steps")
def test_values_change_step_by_step(case: Any) -> None:
    """What each rollout leaves in the Secret, how the history names it, and what it says of it."""
    data, found = case["data"], []
    for step in r.steps(case["key"], drop=case["drop"]):
        data = r.after(step, data, case["key"], "new")
        rotated = r.rotated_key(step, case["key"])
        found.append({"rotates": rotated, "told": r.told(rotated, there=rotated in data), "data": data})
    assert found == case["steps"]


@pytest.mark.cases("rotation/steps")
def test_pods_of_neighbouring_steps_accept_each_other(case: Any) -> None:
    """While a rollout runs, pods of both steps serve: what one of them uses, the other accepts, until it is dropped."""
    data, all_steps = case["data"], r.steps(case["key"], drop=case["drop"])
    base, previous = r.base_of(case["key"]), r.previous_of(case["key"])
    for step in all_steps:
        new = r.after(step, data, case["key"], "new")
        for one, other in itertools.permutations((data, new)):
            assert one[base] in {other[base], other.get(previous)}, step
        data = new


@pytest.mark.cases("rotation/key")
def test_key_is_one_that_can_be_meant(case: Any, refusal: Refusal) -> None:
    """A key that is not there, and what is only accepted, are refused with what to say instead."""
    with refusal(ConfigError):
        r.check_key("rotate", case["key"], case["data"], drop=case.get("drop", False), given=case.get("given", False))


@pytest.mark.cases("rotation/value")
def test_new_value_is_new(case: Any, refusal: Refusal) -> None:
    """Neither the value in force nor the one before is a new one."""
    with refusal(ConfigError):
        r.check_value("rotate", "jwt-secret", case["value"], case["data"], case["versions"], _stored(case))


@pytest.mark.cases("rotation/given")
def test_deployment_does_not_undo_a_rotation(case: Any, refusal: Refusal) -> None:
    """What a CI still gives after a rotation would bring the old value back: it is refused."""
    with refusal(ConfigError):
        r.check_given("deploy", "jwt-secret", case["value"], case["data"], _stored(case))


def _stored(case: Any) -> dict[str, str]:
    """Return what is kept of the values that were rotated away, one after the other."""
    stored: dict[str, str] = {}
    for value in case.get("retired", ()):
        stored |= r.retired(stored, "jwt-secret", {"jwt-secret-previous": value}, {})
    return stored


def test_what_is_kept_of_a_retired_value_is_not_the_value() -> None:
    """It is known again, and cannot be read."""
    before = {"jwt-secret": "new", "jwt-secret-previous": "leaked"}
    after = r.after(r.Step.DROP, before, "jwt-secret", "")
    stored = r.retired({}, "jwt-secret", before, after)
    assert r.is_retired(stored, "jwt-secret", "leaked")
    assert not r.is_retired(stored, "jwt-secret", "new")
    assert "leaked" not in str(stored)
    assert values_named(stored, ()) == stored, "no revision has to name it"


@pytest.mark.cases("rotation/readers")
def test_key_is_rotated_only_where_every_reader_accepts_both(case: Any, refusal: Refusal) -> None:
    """A workload that knows one value alone is named, with what its manifest lacks."""
    with refusal(ManifestError):
        r.check_readers("rotate", case["objects"], "planera-secrets", "jwt-secret")


def test_production_is_meant_in_words() -> None:
    """Staging needs no phrase; production needs just this one."""
    command = "rotate --env production --secret jwt-secret"
    check_rotate("rotate", STAGES["staging"], "", command)
    check_rotate("rotate", STAGES["production"], "rotate-production", command)
    with pytest.raises(ConfigError, match="--secret jwt-secret --confirm rotate-production"):
        check_rotate("rotate", STAGES["production"], "deploy-to-production", command)
