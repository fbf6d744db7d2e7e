"""The API server's timestamps as seconds, and back."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.domain.moments import epoch, stamp, written


@pytest.mark.cases("moments")
def test_timestamps_become_seconds_and_back(case: Any) -> None:
    """Every timestamp of the API is a number of seconds, and shows again as one, in UTC."""
    assert epoch(case["text"]) == case["seconds"]
    assert stamp(case["seconds"]) == case["stamp"]
    assert epoch(stamp(case["seconds"])) == case["seconds"]


@pytest.mark.cases("written")
def test_last_write_is_what_the_server_noted(case: Any) -> None:
    """The server notes when who wrote which part of an object; a status has times of its own."""
    obj = {"metadata": {"managedFields": case["fields"]}}
    assert written(obj) == epoch(case["status"])
    assert written(obj, status=False) == epoch(case["rest"])


def test_object_without_notes_was_never_written() -> None:
    """What a test or an old server leaves out is no mistake."""
    assert written({"metadata": {}}) == 0.0
