"""What pods and their events say about why they are not ready; the texts are those of a real kubelet and containerd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from planera_ci.domain.diagnosis import exited, symptoms
from planera_ci.domain.events import indexed
from planera_ci.domain.moments import epoch
from planera_ci.domain.symptom import CRASH, NO_END, Symptom


def _seconds(value: Any) -> float:
    """Read what a case says of a time: a timestamp, seconds, or never."""
    if value == "never":
        return NO_END
    return epoch(value) if isinstance(value, str) else float(value)


def _matches(symptom: Symptom, wanted: dict[str, Any]) -> None:
    assert symptom.reason == wanted["reason"], symptom
    assert wanted["says"] in symptom.message, symptom
    assert "omits" not in wanted or wanted["omits"] not in symptom.message, symptom
    assert symptom.grace == _seconds(wanted.get("grace", 0)), symptom
    assert symptom.vague is wanted.get("vague", False), symptom
    assert symptom.since == _seconds(wanted.get("since", 0)), symptom
    for name in ("pod", "container"):
        assert getattr(symptom, name) == wanted.get(name, getattr(symptom, name)), symptom
    assert symptom.seen == _seconds(wanted.get("seen", symptom.seen)), symptom


@pytest.mark.cases("diagnosis")
def test_trouble_of_pods_is_classed(case: Any) -> None:
    """Pods and events give these symptoms, in this order, and no others."""
    found = symptoms(case["pods"], indexed(case.get("events", ())), crashes=case.get("crashes", True))
    assert [s.reason for s in found] == [wanted["reason"] for wanted in case["found"]], found
    for symptom, wanted in zip(found, case["found"], strict=True):
        _matches(symptom, wanted)


@pytest.mark.cases("diagnosis")
def test_symptoms_have_marks_of_their_own(case: Any) -> None:
    """Each trouble is known by a mark that no other has, and that is the same the next time."""
    first, again = (symptoms(case["pods"], indexed(case.get("events", ()))) for _ in range(2))
    assert len({s.mark for s in first}) == len(first)
    assert [s.mark for s in first] == [s.mark for s in again]


def test_mark_is_the_pods_not_its_names(like: Callable[[str], Any]) -> None:
    """A stateful set's next pod has the name of the one before, and troubles of its own."""
    pod = like("pod-new")
    other = {**pod, "metadata": {**pod["metadata"], "uid": "another"}}
    assert symptoms([pod], {})[0].mark != symptoms([other], {})[0].mark


def test_mark_outlives_the_words_of_a_pull(like: Callable[[str], Any]) -> None:
    """ErrImagePull and ImagePullBackOff are one trouble, so that its grace goes on."""

    def pulling(reason: str, message: str) -> Any:
        status = {"name": "api", "state": {"waiting": {"reason": reason, "message": message}}}
        return {**like("pod-new"), "status": {"phase": "Pending", "containerStatuses": [status]}}

    first = symptoms([pulling("ErrImagePull", "connection refused")], {})
    then = symptoms([pulling("ImagePullBackOff", 'Back-off pulling image "x"')], {})
    assert [s.mark for s in first] == [s.mark for s in then]


@pytest.mark.cases("exited")
def test_end_of_a_pod_names_the_container_that_failed(case: Any) -> None:
    """Of a pod that ended, the container that ended with an error is told, and what ended well is not."""
    failure = exited(case["pod"])
    if "says" not in case:
        assert failure is None
        return
    assert failure is not None
    assert (failure.reason, failure.container, failure.message) == (CRASH, case["container"], case["says"])
    assert failure.pod == case["pod"]["metadata"]["name"]
