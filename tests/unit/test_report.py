"""The report: the same facts for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from planera_ci.domain.report import Report, Step, listed, seconds

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
    assert data.keys() == {"app", "environment", "version", "was", "seconds", "steps", "notes", "urls"}


@pytest.mark.parametrize(
    ("value", "shown"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (10.0, "10 s"), (125.6, "126 s")]
)
def test_durations_have_as_many_digits_as_people_read(value: float, shown: str) -> None:
    """Tenths are shown below ten seconds only."""
    assert seconds(value) == shown


def test_items_are_listed_with_commas() -> None:
    """A list reads as part of a sentence."""
    assert listed(["backend", "frontend"]) == "backend, frontend"
