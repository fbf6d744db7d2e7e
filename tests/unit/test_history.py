"""The history of an environment: which revision is good, what may be there, what to go back to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from planera_ci.domain.history import (
    KEPT,
    SCHEMA,
    History,
    Outcome,
    Record,
    entries,
    read,
    secret_versions,
    values_named,
    values_to_keep,
)
from planera_ci.domain.manifests import Key
from planera_ci.errors import ClusterError, HistoryError

Refusal = Callable[[type[Exception]], AbstractContextManager[object]]
Like = Callable[[str], Any]

ACT = "roll back planera in staging"


@pytest.fixture
def records(case: Any, like: Like) -> list[Record]:
    """Return a case's records, each with all its fields."""
    return [Record(**{**like("record"), **fields}) for fields in case["records"]]


def _number(record: Record | None) -> int | None:
    return record.revision if record else None


@pytest.mark.cases("history/order")
def test_history_knows_what_became_of_each_revision(case: Any, records: list[Record]) -> None:
    """From the records alone follow what is good, what was interrupted, what may be there and what is too old."""
    history = History.of(records)
    found = {
        "good": _number(history.good),
        "last": _number(history.last),
        "unfinished": _number(history.unfinished),
        "next": history.next_revision,
        "inventory": [str(key) for key in history.inventory()],
        "surplus": [record.revision for record in history.surplus()],
        "outcomes": [str(record.outcome) for record in history.records],
    }
    wanted = {name: case[name] for name in found if name in case}
    assert wanted
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.cases("history/restore")
def test_rollback_finds_its_revision_or_says_why_not(case: Any, records: list[Record], refusal: Refusal) -> None:
    """Asked for or not, only a revision that was good is put back; else a sentence says what to do."""
    with refusal(HistoryError):
        assert History.of(records).to_restore(case["to"], ACT).revision == case["restored"]


@pytest.mark.cases("history/secrets")
def test_values_are_known_by_the_revision_that_they_came_with(case: Any) -> None:
    """A value has the number of the revision that brought it, so that a record names values without holding them."""
    assert secret_versions(case["wanted"], case["stored"], case["revision"]) == case["versions"]


@pytest.mark.cases("history/keep")
def test_values_are_kept_as_long_as_a_revision_needs_them(case: Any, records: list[Record]) -> None:
    """What some revision may be rolled back to is kept, and nothing else."""
    assert values_to_keep(case["wanted"], case["versions"], case["stored"], records) == case["kept"]


@pytest.mark.cases("history/rotated")
def test_rotated_values_take_the_place_of_earlier_ones(case: Any, records: list[Record]) -> None:
    """Whichever revision is put back, it gets what a rotation put into force, and the old value is forgotten."""
    history = History.of(records)
    assert {record.revision: history.secrets_of(record) for record in records} == case["secrets"]
    assert values_named(case["stored"], history.restorable) == case["kept"]


@pytest.mark.cases("history/text")
def test_history_reads_as_a_table(case: Any, records: list[Record]) -> None:
    """People read a line for each revision."""
    assert History.of(records).text() == case["text"]


@pytest.mark.cases("history/text")
def test_history_is_json_for_programs(case: Any, records: list[Record]) -> None:
    """Programs read every field but the long inventory, the newest revision first."""
    data = json.loads(History.of(records).json())
    assert [entry["revision"] for entry in data] == sorted(
        (r.get("revision", 1) for r in case["records"]), reverse=True
    )
    for entry in data:
        assert entry.keys() == Record.model_fields.keys() - {"inventory"}
        assert entry["outcome"] in {str(outcome) for outcome in Outcome}
        assert entry["secrets"]["jwt-secret"]


def test_what_may_be_there_holds_all_that_the_good_revision_applied(like: Like) -> None:
    """Whatever came after a good revision, nothing of it is forgotten, and nothing is named that no record names."""
    names = ("backend", "frontend", "old")
    objects = {name: {"api_version": "v1", "kind": "Service", "namespace": "n", "name": name} for name in names}
    for outcomes in itertools.product(Outcome, repeat=3):
        made = [
            Record(**{**like("record"), "revision": number, "outcome": outcome, "inventory": (objects[name],)})
            for number, (outcome, name) in enumerate(zip(outcomes, names, strict=True), 1)
        ]
        history = History.of(reversed(made))
        there = set(history.inventory())
        if history.good:
            assert there >= set(history.good.keys())
        assert history.last
        assert there >= set(history.last.keys())
        assert there <= {key for record in made for key in record.keys()}  # noqa: SIM118 - not a mapping


def test_every_history_can_be_gone_back_in_or_says_why_not(like: Like) -> None:
    """Whatever became of three revisions, the one to restore was good, or an error is told."""
    for outcomes in itertools.product(Outcome, repeat=3):
        history = History.of(
            Record(**{**like("record"), "revision": n, "version": f"v{n}", "outcome": outcome})
            for n, outcome in enumerate(outcomes, 1)
        )
        good = [record for record in history.records if record.outcome is Outcome.SUCCEEDED]
        left = history.records[-1].outcome in (Outcome.FAILED, Outcome.RUNNING)
        choices = good if left else good[:-1]
        if choices:
            assert history.to_restore(0, ACT) is choices[-1], outcomes
        else:
            with pytest.raises(HistoryError, match="no earlier good revision"):
                history.to_restore(0, ACT)


def test_what_is_forgotten_is_never_what_is_needed(like: Like) -> None:
    """However long a history is, at most the good revision is kept beside the newest ones."""
    for count in range(3 * KEPT):
        for good in (0, 1, count // 2, count):
            outcomes = [Outcome.SUCCEEDED if n == good else Outcome.FAILED for n in range(1, count + 1)]
            history = History.of(
                Record(**{**like("record"), "revision": n, "outcome": outcome}) for n, outcome in enumerate(outcomes, 1)
            )
            kept = {r.revision for r in history.records} - {r.revision for r in history.surplus()}
            assert {r.revision for r in history.records[-KEPT:]} <= kept
            assert history.good is None or history.good.revision in kept
            assert len(kept) <= KEPT + 1


def test_history_with_the_revision_that_runs_holds_what_it_applies(like: Like) -> None:
    """While a revision is deployed, what it may have applied belongs to what may be there."""
    first = Record(**like("record"))
    new = first.model_copy(
        update={"revision": 2, "outcome": Outcome.RUNNING, "inventory": entries([Key("v1", "ConfigMap", "n", "new")])}
    )
    history = History.of([first]).and_then(new)
    assert history.last is new
    assert history.good is first
    assert Key("v1", "ConfigMap", "n", "new") in history.inventory()
    closed = new.model_copy(update={"outcome": Outcome.SUCCEEDED})
    assert [record.revision for record in history.and_then(closed).records] == [1, 2]
    assert history.and_then(closed).good is closed


@pytest.mark.parametrize(
    "other",
    [
        {"version": "9f8e7d6"},
        {"images": {"planera-backend": "ghcr.io/planera/planera-backend@sha256:bb22"}},
        {"inventory": ()},
        {"secrets": {"jwt-secret": 2}},
    ],
    ids=["version", "images", "inventory", "secrets"],
)
def test_any_difference_makes_another_release(like: Like, other: dict[str, Any]) -> None:
    """Version, images, inventory and secrets each make a release another one."""
    record = Record(**like("record"))
    assert not record.is_same_release(record.model_copy(update=other))


def test_what_became_of_a_release_does_not_make_it_another(like: Like) -> None:
    """The same release at another time, by another holder and with another end, is the same."""
    record = Record(**like("record"))
    again = {"revision": 9, "outcome": Outcome.FAILED, "restores": 1, "started_at": "later", "holder": "x", "run": "y"}
    assert record.is_same_release(record.model_copy(update=again))


def test_inventory_is_kept_in_order(like: Like) -> None:
    """The order in which objects were applied does not show in a record."""
    keys = [Key("v1", "Service", "n", "backend"), Key("apps/v1", "Deployment", "n", "backend")]
    record = Record(**{**like("record"), "inventory": entries(keys)})
    assert record.keys() == tuple(sorted(keys))
    assert entries(keys) == entries(reversed(keys))


def test_record_reads_back_as_it_was_written(like: Like) -> None:
    """JSON keeps all that a record holds."""
    record = Record(**{**like("record"), "reason": "image", "message": "not found", "restores": 2, "run": "here"})
    assert read(record.model_dump_json(indent=2), "planera-revision-1") == record
    assert record.schema_version == SCHEMA


def test_record_cannot_be_changed_in_place(like: Like) -> None:
    """A record is a fact about the past."""
    with pytest.raises(ValueError, match="frozen"):
        Record(**like("record")).revision = 5  # type: ignore[misc]


@pytest.mark.cases("history/read")
def test_record_that_cannot_be_trusted_is_refused(case: Any, refusal: Refusal) -> None:
    """What was edited or written by a newer version is refused, with what to do about it."""
    text = case["text"] if isinstance(case["text"], str) else json.dumps(case["text"])
    with refusal(ClusterError):
        assert read(text, "planera-staging/planera-revision-3").revision == case["revision"]


def test_record_without_an_end_is_running(like: Like) -> None:
    """A record is open until somebody closes it."""
    fields = {name: value for name, value in like("record").items() if name != "outcome"}
    assert Record(**fields).outcome is Outcome.RUNNING
