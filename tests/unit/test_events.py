"""Events of a namespace: which are about an object, what they say, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from planera_ci.domain.events import about, happened, indexed, line, said
from planera_ci.domain.moments import epoch

Like = Callable[[str], Any]


@pytest.mark.cases("events")
def test_event_is_said_in_one_line(case: Any) -> None:
    """An event reads as one line, and its time is when it was seen last."""
    assert "line" not in case or line(case["event"]) == case["line"]
    assert "happened" not in case or happened(case["event"]) == epoch(case["happened"])


def _about(event: Any, message: str, **who: str) -> Any:
    return {**event, "reason": "Failed", "message": message, "involvedObject": {**event["involvedObject"], **who}}


def test_events_are_found_by_what_they_are_about(like: Like) -> None:
    """Kind, name and uid must be the object's; an event without a uid is about the name."""
    pod, event = like("pod-new"), like("event")
    nameless = {"kind": "Pod", "name": pod["metadata"]["name"]}
    index = indexed(
        [
            _about(event, "mine"),
            _about(event, "another pod's", name="backend-7d4f-other"),
            _about(event, "an earlier one's", uid="earlier"),
            _about(event, "a Job's", kind="Job"),
            {"reason": "Failed", "message": "of the name", "involvedObject": nameless},
            {"reason": "Failed", "message": "nobody's"},
        ]
    )
    assert list(said(about(pod, index), "Failed")) == ["mine", "of the name"]
    assert list(said(about(pod, index), "Killing")) == []


def test_newest_event_comes_first(like: Like) -> None:
    """What was said last is what is believed."""
    event = like("event")
    messages = {"second": "07:00:06", "third": "07:00:19", "first": "07:00:05"}
    index = indexed({**_about(event, text), "lastTimestamp": f"2026-11-23T{at}Z"} for text, at in messages.items())
    assert list(said(about(like("pod-new"), index), "Failed")) == ["third", "second", "first"]
