"""What is told of the certificate that a host is served with, and when it fails a verification."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from planera_ci.cluster.certificate import named_fields
from planera_ci.domain.certificate import Certificate, judged

NOW, DAY = 1_800_000_000.0, 86400.0


@pytest.mark.cases("certificate")
def test_certificate_is_judged_for_a_host(case: Any) -> None:
    """The sentence tells whose it is and how long it is good; a remedy means that a browser would refuse it."""
    found = Certificate(
        subject=case.get("subject", ""),
        issuer=case.get("issuer", "Pebble Intermediate CA 1"),
        names=tuple(case.get("names", ["app.test"])),
        begins=NOW + case.get("begins_in_days", -1) * DAY,
        ends=NOW + case.get("ends_in_days", 90) * DAY,
        own=case.get("own", False),
        default=case.get("default", False),
    )
    judgement = judged(case.get("host", "app.test"), found, NOW)
    assert (judgement.text, judgement.remedy) == (case["text"], case.get("remedy", ""))


@pytest.mark.cases("served")
def test_certificate_is_made_of_the_fields_that_python_reads(case: Any) -> None:
    """The library names them as tuples in tuples, and times as text."""
    found = asdict(named_fields(case["fields"], default=False))
    assert {**found, "names": list(found["names"])} == {**case["certificate"], "default": False}
