"""What the pipeline reads from a Dockerfile."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.domain.dockerfile import has_stage


@pytest.mark.cases("dockerfile")
def test_stage_is_found_where_docker_would_find_it(case: Any) -> None:
    """A component has tests of its own if its Dockerfile has a stage of that name."""
    assert has_stage(case["text"], "test") is case["has"]
