"""The checks of this repository: which there are, what they run, and what is told of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planera_ci import arguments as given
from planera_ci.domain.checks import CHECKS, Pins, Result, chosen, end_of, failure, steps
from planera_ci.errors import ConfigError, SourceError

ROOT = Path(__file__).parents[2]
PASSED, KEPT = Result("lint", True, 0.42), Result("types", True, 12.34, kept=True)
FAILED, ALSO = Result("unit", False, 3.0, "one\ntwo"), Result("docs", False, 61.0, "README.md:3: x.md does not exist")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_make_has_a_target_that_runs_the_same(check: object) -> None:
    """`make NAME` is the check of that name without a container."""
    recipe = re.search(rf"^{check.name}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    assert [line.strip() for line in recipe[1].splitlines()] == [f"$(PY) -m {command}" for command in check.commands]


def test_help_names_every_check() -> None:
    """Who reads what --only takes reads every name."""
    assert ", ".join(check.name for check in CHECKS) in str(given.Only)


def test_all_are_chosen_where_none_is_named() -> None:
    """Named ones run in their usual order, each once."""
    assert chosen(()) == CHECKS
    assert [check.name for check in chosen(["docs", "lint", "docs"])] == ["lint", "docs"]


def test_unknown_check_is_refused() -> None:
    """A name that no check has is refused with those that there are."""
    with pytest.raises(ConfigError, match=r"^read --only style: there is no such check\. Give lint, types, unit,"):
        chosen(["lint", "style"])


def test_report_has_a_line_for_each() -> None:
    """Each check is named with its outcome and seconds; an answer that was kept is told from one that was found."""
    assert [(step.name, step.text) for step in steps([PASSED, KEPT])] == [
        ("lint", "passed  0.4 s"),
        ("types", "passed  12 s  unchanged"),
    ]
    assert failure([PASSED, KEPT]) is None


def test_failure_names_each_that_failed_and_hides_none() -> None:
    """One error says which failed, how all others ended, and the end of what each of them printed."""
    assert str(failure([PASSED, FAILED, KEPT, ALSO])).splitlines() == [
        "check planera-ci: unit, docs failed. Run one alone by `dagger call checks --only unit`.",
        "    lint      passed  0.4 s",
        "    unit      failed  3.0 s",
        "    types     passed  12 s  unchanged",
        "    docs      failed  61 s",
        "    unit:",
        "    one",
        "    two",
        "    docs:",
        "    README.md:3: x.md does not exist",
    ]


def test_end_of_the_output_has_no_dots() -> None:
    """What pytest prints while it runs says nothing; of the rest, the last lines are shown."""
    printed = "....F... [ 33%]\n........ [100%]\n=== FAILURES ===\nE   assert ...\n"
    assert end_of(printed) == "=== FAILURES ===\nE   assert ..."
    assert end_of("\n".join(map(str, range(100)))).splitlines() == [str(number) for number in range(60, 100)]


def test_containers_are_made_of_what_the_repository_pins() -> None:
    """The image is that of the module's own container, uv the lab's; what says neither is refused."""
    pins = Pins.read('[tool.dagger]\nbase-image = "python:1"', '[wheels]\nuv = "2"')
    assert pins == Pins("python:1", "2")
    for project, versions in (("", "[wheels]\nuv = '2'"), ("[tool", ""), ('[tool.dagger]\nbase-image = "a"', "")):
        with pytest.raises(SourceError, match=r"lab/versions\.toml do not say it"):
            Pins.read(project, versions)
