"""How long tests may take: what is compared with what, and that nobody raises a budget unnoticed."""

from __future__ import annotations

import pytest
from tests.budget import Budget, Phase, by_file, by_folder, folder_table, slowest_table, verdict
from tests.texts import ROOT

OURS = Budget.read((ROOT / "tests/budget.toml").read_text(encoding="utf-8"))
_LAB = "lab/tests"
"""The folder that the container of `dagger call checks` does not have."""
SMALL = Budget(0.5, 100, 2, {"tests/unit": 10, "tests/e2e": 100}, {"next": 60}, {})
PHASES = (
    Phase("tests/e2e/test_a.py::test_one[a::b]", "setup", 30),
    Phase("tests/e2e/test_a.py::test_one[a::b]", "call", 40.5),
    Phase("tests/e2e/test_b.py::test_two", "call", 20),
    Phase("lab/tests/test_c.py::test_three", "call", 1),
)


def test_budgets_and_reserves_fit_into_the_whole_run() -> None:
    """Who raises a folder's budget takes the seconds from another one, or from an issue that comes."""
    assert OURS.assigned <= OURS.room
    assert all(seconds > 0 for seconds in (*OURS.folders.values(), *OURS.reserved.values()))


def test_next_issues_have_ten_minutes() -> None:
    """The reserve is spoken for by name, and is waited for by several workers at a time."""
    assert {"2 promises", "4 any repository", "6 gradual releases", "7 signals", "8 supply chain"} == {*OURS.reserved}
    assert sum(OURS.reserved.values()) == 600 * OURS.workers


def test_every_folder_of_tests_has_a_budget() -> None:
    """A new folder gets seconds before its first run; a folder that is gone gives its seconds back."""
    folders = {file.parent.relative_to(ROOT).as_posix() for file in ROOT.glob("tests/*/test_*.py")}
    assert folders | {_LAB} == OURS.folders.keys()


def test_longest_files_exist() -> None:
    """A file that was renamed is renamed in tests/budget.toml too."""
    assert not [file for file in OURS.longest if not file.startswith(_LAB) and not (ROOT / file).exists()]


def test_phases_are_added_up_by_file_and_folder() -> None:
    """Setup counts as the test itself does; the longest folder comes first."""
    files = by_file(PHASES)
    assert files == {"tests/e2e/test_a.py": 70.5, "tests/e2e/test_b.py": 20, "lab/tests/test_c.py": 1}
    assert list(by_folder(files).items()) == [("tests/e2e", 90.5), ("lab/tests", 1)]


@pytest.mark.parametrize(("measured", "factor"), [(0.5, 1), (1.0, 2), (0.25, 1)])
def test_slower_machine_has_more_seconds(measured: float, factor: float) -> None:
    """Twice as slow has twice as much; a faster machine has no less than the one of the figures."""
    assert SMALL.factor(measured) == factor


@pytest.mark.parametrize(
    ("folders", "factor", "told"),
    [
        ({"tests/unit": 10, "tests/e2e": 100}, 1, ""),
        ({"tests/unit": 19, "tests/e2e": 190}, 2, ""),
        ({"tests/unit": 10.6, "tests/e2e": 90}, 1, "tests/unit took 11 s of 10 s"),
        ({"tests/unit": 30, "tests/e2e": 201}, 2, "tests/unit took 30 s of 20 s, tests/e2e took 201 s of 200 s"),
        ({"tests/new": 1}, 1, "tests/new took 1 s of 0 s"),
    ],
)
def test_folder_over_its_budget_is_named(folders: dict[str, float], factor: float, told: str) -> None:
    """One sentence names each folder with both figures; a folder without a budget has none."""
    sentence = verdict(SMALL, folders, factor)
    assert told in sentence
    assert bool(sentence) == bool(told)


def test_table_shows_seconds_share_and_budget() -> None:
    """The budgets are those of this machine; a run of a part shows none."""
    assert folder_table({"tests/e2e": 90.0, "tests/unit": 10.0}, SMALL, 2) == [
        " seconds  share  budget  folder",
        "    90.0    90%     200  tests/e2e",
        "    10.0    10%      20  tests/unit",
        "   100.0   100%     220  all",
    ]
    assert folder_table({}, None, 1) == [" seconds  share  folder", "     0.0     0%  all"]


def test_slowest_come_first_and_twenty_are_shown() -> None:
    """Each with its phase: a slow setup is no slow test."""
    assert slowest_table(PHASES)[0] == "    40.5  call      tests/e2e/test_a.py::test_one[a::b]"
    assert len(slowest_table(PHASES * 10)) == 20
