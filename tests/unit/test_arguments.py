"""The limits of arguments, and how they are refused."""

from __future__ import annotations

import json

import pytest

from planera_ci.arguments import checked_lines, checked_seconds, shown_as
from planera_ci.choices import Format
from planera_ci.domain.report import Report
from planera_ci.errors import ConfigError


@pytest.mark.parametrize(("given", "least"), [(1, 1), (300, 1), (3600, 1), (0, 0), (3600, 0)])
def test_seconds_within_their_limits_are_taken(given: int, least: int) -> None:
    """The least and the most are taken, and seconds become what clocks count in."""
    found = checked_seconds("within", given, least=least)
    assert found == given
    assert isinstance(found, float)


@pytest.mark.parametrize(("given", "least"), [(0, 1), (-1, 0), (3601, 1), (10**9, 0)])
def test_seconds_out_of_their_limits_are_refused_by_their_flag(given: int, least: int) -> None:
    """Who mistypes a number reads which, and what to give."""
    with pytest.raises(ConfigError) as told:
        checked_seconds("wait", given, least=least)
    assert str(told.value) == f"read --wait {given}: it is out of range. Give {least} to 3600 seconds."


def test_a_rollout_has_a_second_at_least() -> None:
    """Not to wait for the lock makes sense, not to wait for a rollout does not."""
    with pytest.raises(ConfigError, match="Give 1 to 3600 seconds"):
        checked_seconds("within", 0)


@pytest.mark.parametrize("given", [1, 100, 10_000])
def test_lines_within_their_limits_are_taken(given: int) -> None:
    """The least and the most are taken."""
    assert checked_lines(given) == given


@pytest.mark.parametrize("given", [0, -5, 10_001])
def test_lines_out_of_their_limits_are_refused(given: int) -> None:
    """Who asks for no line, or for all of them, reads what to give."""
    with pytest.raises(ConfigError) as told:
        checked_lines(given)
    assert str(told.value) == f"read --lines {given}: it is out of range. Give 1 to 10000."


def test_report_is_shown_as_asked_for() -> None:
    """People get lines, programs get JSON."""
    report = Report("planera", "staging", "a1b2c3d", revision=7)
    assert shown_as(report, Format.TEXT) == report.text()
    assert json.loads(shown_as(report, Format.JSON))["revision"] == 7
