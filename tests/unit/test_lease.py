"""The lock of an environment: who holds it, until when, and what is written to take, renew and free it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from planera_ci.domain import lease as le
from planera_ci.domain.lease import Holder, freed, held, key_of, renewed, taken
from planera_ci.domain.manifests import Key
from planera_ci.domain.moments import epoch

Like = Callable[[str], Any]
NOW = epoch("2026-11-23T07:00:30.125Z")
MINE = Holder("planera-ci-99ffeedd", "https://ci.test/42", "roll back")
KEY = key_of("planera-staging", "planera")


@pytest.mark.cases("lease")
def test_lease_says_who_holds_it(case: Any) -> None:
    """Who holds the lock, since when and until when is read from the lease alone."""
    found = held(case["lease"])
    if case.get("free"):
        assert found is None
        return
    assert found is not None
    wanted = case.get("held", {})
    for name in {"name", "run", "doing"} & wanted.keys():
        assert getattr(found.holder, name) == wanted[name]
    for name in {"since", "renewed", "ends"} & wanted.keys():
        assert getattr(found, name) == pytest.approx(epoch(wanted[name]), abs=1e-5)
    now = epoch(case["now"])
    assert "over" not in case or found.over(now) is case["over"]
    assert "text" not in case or found.text(now) == case["text"]


def test_every_environment_has_one_lock() -> None:
    """The lock is in the environment's namespace, under the application's name."""
    assert Key("coordination.k8s.io/v1", "Lease", "planera-staging", "planera-deploy") == KEY


def test_lease_is_taken_on_top_of_just_the_one_that_was_seen(like: Like) -> None:
    """Of two that take the same lease, the API server lets one win: both name the version that they have seen."""
    mine = taken(KEY, like("lease"), MINE, NOW)
    assert Key.of(mine) == KEY
    assert mine["metadata"]["resourceVersion"] == "7100"
    assert mine["spec"]["leaseTransitions"] == 4
    assert mine["spec"]["leaseDurationSeconds"] == le.SECONDS
    assert mine["spec"]["acquireTime"] == mine["spec"]["renewTime"] == "2026-11-23T07:00:30.125000Z"


def test_lease_that_was_not_there_is_made() -> None:
    """The first lease of an environment has no version that it is on top of."""
    mine = taken(KEY, None, MINE, NOW)
    assert not mine["metadata"]["resourceVersion"]
    assert mine["spec"]["leaseTransitions"] == 1
    assert (mine["apiVersion"], mine["kind"]) == ("coordination.k8s.io/v1", "Lease")


def test_lease_that_was_taken_is_held_by_its_taker(like: Like) -> None:
    """What is written is what others read."""
    for before in (None, like("lease")):
        found = held(taken(KEY, before, MINE, NOW))
        assert found is not None
        assert found.holder == MINE
        assert found.since == found.renewed == pytest.approx(NOW)
        assert found.ends == pytest.approx(NOW + le.SECONDS)


def test_sign_of_life_moves_the_end_and_nothing_else(like: Like) -> None:
    """A renewal is on top of the version that its holder wrote last."""
    lease = like("lease")
    later = renewed(lease, NOW)
    assert later["spec"] == {**lease["spec"], "renewTime": "2026-11-23T07:00:30.125000Z"}
    assert later["metadata"] == lease["metadata"]
    assert lease["spec"]["renewTime"] == "2026-11-23T07:00:08.500000Z", "what was seen is left as it is"


def test_lease_that_its_holder_left_is_free(like: Like) -> None:
    """Whoever comes next need not wait for its time to be over; it counts on from the same number."""
    left = freed(like("lease"))
    assert held(left) is None
    assert left["metadata"]["resourceVersion"] == "7100"
    assert taken(KEY, left, MINE, NOW)["spec"]["leaseTransitions"] == 4


@pytest.mark.parametrize(
    ("holder", "text"),
    [
        (Holder("a"), "a"),
        (Holder("a", "https://ci.test/1"), "a (https://ci.test/1)"),
        (Holder("a", doing="deploy x"), "a to deploy x"),
        (MINE, "planera-ci-99ffeedd (https://ci.test/42) to roll back"),
    ],
)
def test_holder_is_named_with_what_is_known(holder: Holder, text: str) -> None:
    """Who waits reads whom for, where that is seen and what it does."""
    assert str(holder) == text


def test_renewals_come_well_before_the_end() -> None:
    """Two renewals in a row may fail, and the lease is still its holder's."""
    assert 3 * le.RENEW_SECONDS < le.SECONDS


def test_lease_time_survives_every_fraction_of_a_second() -> None:
    """The API's MicroTime has six digits and a Z, whatever the fraction."""
    for fraction in (0.0, 0.001, 0.25, 0.5, 0.999):
        text = taken(KEY, None, MINE, 1795417200.0 + fraction)["spec"]["renewTime"]
        assert len(text) == len("2026-11-23T07:00:00.000000Z")
        assert text.endswith("Z")
        assert epoch(text) == pytest.approx(1795417200.0 + fraction, abs=0.0011)
