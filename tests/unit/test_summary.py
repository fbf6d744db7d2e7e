"""The report as a CI shows it: the job's summary, annotations, outputs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planera_ci.domain.places import Place
from planera_ci.domain.report import Report, Step
from planera_ci.domain.summary import annotation, markdown, outputs, quiet

GOOD = Report(
    "planera",
    "staging",
    "a1b2c3d",
    "9f8e7d6",
    42.0,
    (Step("build", "backend built", 3.04), Step("verify", "all | run", 1.0, ("https://staging.planera.app 200",))),
    notes=("the tree is dirty",),
    urls=("https://staging.planera.app",),
    revision=7,
    outcome="succeeded",
    images={"planera-backend": "ghcr.io/planera/planera-backend@sha256:aa"},
    diff="~ deployment/backend (update)\n    image: a -> b\n1 changed, 14 unchanged, 0 removed",
)
BAD = replace(
    GOOD,
    outcome="rolled back",
    error="deploy planera to staging: deployment/backend: crash: <exit> 1.\n    KeyError: 'X'\n    ```\n",
    verdict={"reason": "crash"},
    rollback={"revision": 6, "verified": True},
    again=("dagger call --at a1 deploy --env staging", "dagger call inside"),
)


def test_summary_of_a_success_tells_what_a_reader_wants() -> None:
    """What runs, where it is seen, how long each step took, which images, what changed."""
    text = markdown(GOOD)
    assert text.startswith("## ✅ planera staging: `a1b2c3d`\n")
    assert "before: `9f8e7d6` · revision 7 · 42 s · <https://staging.planera.app>" in text
    assert "| build | 3.0 | backend built |" in text
    assert "| verify | 1.0 | all \\| run<br>https://staging.planera.app 200 |" in text
    assert "| planera-backend | `ghcr.io/planera/planera-backend@sha256:aa` |" in text
    assert "<summary>What changed: 1 changed, 14 unchanged, 0 removed</summary>" in text
    assert "**Note:** the tree is dirty" in text
    assert "artifact" not in text


def test_summary_of_a_failure_begins_with_the_reason() -> None:
    """Reason, the end of the log, the command that shows it once more, and where the evidence is."""
    text = markdown(BAD, "dagger call evidence --env staging -o evidence")
    assert text.startswith("## ❌ planera staging: `a1b2c3d` failed, rolled back to revision 6 and verified\n")
    assert "> deploy planera to staging: deployment/backend: crash: &lt;exit&gt; 1." in text
    assert "````\nKeyError: 'X'\n```\n````" in text, "a log cannot end its own block"
    assert "```sh\ndagger call --at a1 deploy --env staging\n```" in text
    assert "```sh\ndagger call inside\n```" in text
    assert "`dagger call evidence --env staging -o evidence`" in text
    assert text.index("> deploy") < text.index("| step |")


@pytest.mark.parametrize(
    ("report", "head"),
    [
        (replace(BAD, rollback=None), "## ❌ planera staging: `a1b2c3d` failed\n"),
        (replace(BAD, rollback={"revision": 6, "verified": False}), "## ❌ planera staging: `a1b2c3d` failed\n"),
        (Report("planera", "staging", "", error="read planera.toml: not TOML."), "## ❌ planera staging failed\n"),
        (Report("planera-ci", "", "a1b2c3d"), "## ✅ planera-ci: `a1b2c3d`\n"),
    ],
)
def test_headline_promises_nothing_that_was_not_proven(report: Report, head: str) -> None:
    """Rolled back is said only where the rollback was verified."""
    assert markdown(report).startswith(head)


def test_annotation_names_the_line_and_keeps_to_one() -> None:
    """A workflow command ends with its line, so what would end it, or one of its properties, is escaped."""
    assert annotation("planera staging: crash", "a: 100 %\n  b", Place("src/x,y.py", 3)) == (
        "::error file=src/x%2Cy.py,line=3,title=planera staging%3A crash::a: 100 %25%0A  b\n"
    )
    assert annotation("t", "m", None) == "::error title=t::m\n"


def test_log_gives_the_ci_no_command() -> None:
    """What an application writes is shown, and not obeyed, wherever GitHub would look for a command."""
    assert quiet("a ::b\n    ::set-output name=x::y\n::stop-commands::z\nx ##[group]q\r::add-mask::z") == (
        "a ::b\n    | ::set-output name=x::y\n| ::stop-commands::z\nx ## [group]q\n| ::add-mask::z"
    )


def test_outputs_are_one_line_each() -> None:
    """Later steps of a job read them by name."""
    assert outputs(GOOD) == "outcome=succeeded\nversion=a1b2c3d\nrevision=7\nurl=https://staging.planera.app\n"
    assert outputs(Report("planera", "", "")) == "outcome=\nversion=\nrevision=\nurl=\n"
