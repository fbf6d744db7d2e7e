"""The report: the same facts for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planera_ci.domain.report import Report, Step, listed, seconds, served, size

REPORT = Report(
    app="planera",
    environment="staging",
    version="a1b2c3d",
    was="9f8e7d6",
    seconds=42.4,
    steps=(
        Step("build", "backend built, frontend unchanged since 9f8e7d6", 8.2),
        Step(
            "publish",
            "ghcr.io/planera/planera-backend@sha256:aa11",
            1.0,
            ("ghcr.io/planera/planera-frontend@sha256:bb",),
        ),
    ),
    notes=("the tree is dirty: files differ from the commit",),
    urls=("https://staging.planera.app",),
)


def test_text_is_one_line_a_step_and_one_a_detail() -> None:
    """People read what, from which to which version, how long, and each step with its details."""
    assert REPORT.text().splitlines() == [
        "planera staging  a1b2c3d  (was 9f8e7d6)                     42 s",
        "  build     backend built, frontend unchanged since 9f8e7d6",
        "  publish   ghcr.io/planera/planera-backend@sha256:aa11",
        "            ghcr.io/planera/planera-frontend@sha256:bb",
        "  note      the tree is dirty: files differ from the commit",
    ]


@pytest.mark.parametrize("was", ["", "a1b2c3d"])
def test_text_names_the_version_before_only_if_it_was_another(was: str) -> None:
    """A first deployment has no version before, and a repeated one the same."""
    assert "(was" not in replace(REPORT, was=was).text()


def test_json_holds_every_fact() -> None:
    """Programs get all fields, under the names that the code has for them."""
    data = json.loads(REPORT.json())
    assert data["version"] == "a1b2c3d"
    assert data["steps"][1]["details"] == ["ghcr.io/planera/planera-frontend@sha256:bb"]
    assert data["urls"] == ["https://staging.planera.app"]
    assert data.keys() == {
        *("app", "environment", "version", "was", "seconds", "steps", "notes", "urls"),
        *("revision", "outcome", "verdict", "rollback", "memory", "cpu", "images", "diff", "error", "again"),
    }


def test_json_is_the_facts_and_nothing_else() -> None:
    """What the evidence keeps of a run and what its caller reads are the same."""
    failed = replace(
        REPORT,
        revision=7,
        outcome="rolled back",
        verdict={"reason": "image", "seconds": 0.8},
        rollback={"revision": 6, "verified": True},
        memory=91.5,
    )
    facts = failed.facts()
    assert json.loads(failed.json()) == json.loads(json.dumps(facts))
    assert (facts["revision"], facts["outcome"], facts["memory"]) == (7, "rolled back", 91.5)
    assert facts["verdict"] == {"reason": "image", "seconds": 0.8}
    assert facts["rollback"] == {"revision": 6, "verified": True}
    assert facts["steps"][0] == {
        "name": "build",
        "text": "backend built, frontend unchanged since 9f8e7d6",
        "seconds": 8.2,
        "details": (),
    }


def test_report_without_a_failure_says_so_by_empty_fields() -> None:
    """A report of a verb that deploys nothing has no revision, no verdict and no rollback."""
    facts = REPORT.facts()
    assert (facts["revision"], facts["outcome"], facts["verdict"], facts["rollback"]) == (0, "", {}, None)


def test_json_keeps_letters_as_they_are() -> None:
    """What a person wrote is read by a person in the JSON too."""
    assert "möglich" in replace(REPORT, notes=("nicht möglich",)).json()


@pytest.mark.parametrize(
    ("value", "shown"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (10.0, "10 s"), (125.6, "126 s")]
)
def test_durations_have_as_many_digits_as_people_read(value: float, shown: str) -> None:
    """Tenths are shown below ten seconds only."""
    assert seconds(value) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (1_060_000_000, "1.1 GB"), (10**16, "10000.0 TB")],
)
def test_sizes_are_in_the_units_that_people_use(count: int, shown: str) -> None:
    """Powers of a thousand, as disks and files are sold and listed."""
    assert size(count) == shown


def test_items_are_listed_with_commas() -> None:
    """A list reads as part of a sentence."""
    assert listed(["backend", "frontend"]) == "backend, frontend"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "no service has endpoints"), (1, "one service has endpoints"), (3, "3 services have endpoints")],
)
def test_services_are_counted_as_people_do(count: int, shown: str) -> None:
    """An application may have one service, or none."""
    assert served(count) == shown
