"""What the pipeline reads from a Dockerfile."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.domain.dockerfile import has_stage, line_of


@pytest.mark.cases("dockerfile/stage")
def test_stage_is_found_where_docker_would_find_it(case: Any) -> None:
    """A component has tests of its own if its Dockerfile has a stage of that name."""
    assert has_stage(case["text"], "test") is case["has"]


@pytest.mark.cases("dockerfile/line")
def test_failed_instruction_is_found(case: Any) -> None:
    """A failed build leads to the line that failed, if either the command or the parser's message tells it."""
    assert line_of(case["text"], case.get("command", ""), case.get("cause", "")) == case["line"]
