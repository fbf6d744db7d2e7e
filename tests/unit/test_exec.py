"""How a program that ran in a pod ended, and how much is kept of what it printed."""

from __future__ import annotations

import pytest

from planera_ci.cluster import exec as program
from planera_ci.errors import Unreachable


def test_success_is_code_zero() -> None:
    """The status that ends a run has no causes then."""
    assert program.code_of({"status": "Success"}, "run x") == 0


def test_code_of_a_program_that_failed_is_read_from_the_causes() -> None:
    """As the API server reports it."""
    causes = [{"reason": "ExitCode", "message": "137"}]
    status = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    assert program.code_of(status, "run x") == 137


def test_program_that_could_not_be_run_has_no_code() -> None:
    """The container is gone, or has no such program: the server's words are told."""
    with pytest.raises(Unreachable, match="run x: container not found"):
        program.code_of({"status": "Failure", "message": "container not found"}, "run x")


def test_end_of_what_is_printed_is_kept() -> None:
    """A program that prints without end does not fill the memory."""
    kept = program.Kept()
    for number in range(40):
        kept.write(str(number % 10).encode() * 100_000)
    assert len(kept.text()) <= 2 * 1024 * 1024 + 100_000
    assert kept.text().endswith("9" * 100_000)
