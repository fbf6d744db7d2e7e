"""The record of a deployment: written, read back, and refused when it is not ours to read."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from planera_ci.domain.manifests import Key
from planera_ci.domain.record import Record, read, record_of
from planera_ci.errors import ClusterError

KEYS = (Key("v1", "Service", "n", "backend"), Key("apps/v1", "Deployment", "n", "backend"))
IMAGES = {"planera-backend": "ghcr.io/planera/planera-backend@sha256:aa11"}


@pytest.fixture
def first() -> Record:
    """Return the record of a first deployment."""
    return record_of(None, "a1b2c3d", IMAGES, KEYS)


def test_first_deployment_has_revision_one_and_a_sorted_inventory(first: Record) -> None:
    """The order in which objects were applied does not show in a record."""
    assert first.revision == 1
    assert first.keys() == tuple(sorted(KEYS))


def test_same_deployment_keeps_its_record(first: Record) -> None:
    """Deploying the same again writes no new revision."""
    stamped = first.model_copy(update={"deployed_at": "2026-11-23T07:00:00+00:00"})
    assert record_of(stamped, "a1b2c3d", dict(IMAGES), tuple(reversed(KEYS))) is stamped


@pytest.mark.parametrize(
    ("version", "images", "keys"),
    [
        ("9f8e7d6", IMAGES, KEYS),
        ("a1b2c3d", {"planera-backend": "ghcr.io/planera/planera-backend@sha256:bb22"}, KEYS),
        ("a1b2c3d", IMAGES, KEYS[:1]),
    ],
    ids=["version", "images", "inventory"],
)
def test_any_difference_is_a_new_revision(
    first: Record, version: str, images: dict[str, str], keys: tuple[Key, ...]
) -> None:
    """Version, images and inventory each make a deployment another one."""
    second = record_of(first, version, images, keys)
    assert (second.revision, second.version, second.images) == (2, version, images)
    assert second.keys() == tuple(sorted(keys))


def test_record_reads_back_as_it_was_written(first: Record) -> None:
    """JSON keeps all that a record holds."""
    assert read(first.model_dump_json(indent=2), "n/planera-release") == first


def test_record_cannot_be_changed_in_place(first: Record) -> None:
    """A record is a fact about the past."""
    with pytest.raises(ValueError, match="frozen"):
        first.revision = 5  # type: ignore[misc]


@pytest.mark.cases("record")
def test_record_that_cannot_be_trusted_is_refused(
    case: Any, refusal: Callable[[type[Exception]], AbstractContextManager[object]]
) -> None:
    """What was edited or written by a newer version is refused, with what to do about it."""
    text = case["text"] if isinstance(case["text"], str) else json.dumps(case["text"])
    with refusal(ClusterError):
        assert read(text, "planera-staging/planera-release").revision == case["revision"]
