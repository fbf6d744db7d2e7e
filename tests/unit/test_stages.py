"""What is special about production: a phrase to type, and releases that staging has verified."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from planera_ci.domain import stages
from planera_ci.domain.stages import STAGES
from planera_ci.errors import ConfigError


@pytest.mark.cases("stages/phrase")
def test_guarded_environment_wants_its_exact_phrase(case: Any) -> None:
    """Nothing less than the phrase is taken for it."""
    act, command = f"deploy planera to {case['environment']}", f"deploy --env {case['environment']}"
    refused = pytest.raises(ConfigError) if "refused" in case else nullcontext()
    with refused as raised:
        stages.check_deploy(act, STAGES[case["environment"]], case["given"], command)
    assert case.get("refused", "") in str(raised.value if raised else "")


def test_every_environment_comes_after_one_that_is_there() -> None:
    """What is promoted comes from an environment that is built for."""
    assert {stage.promotes for stage in STAGES.values()} <= {"", *STAGES}


def test_verification_has_a_tag_of_its_own() -> None:
    """It names the environment and the version, and is none of the tags that are published."""
    assert STAGES["staging"].verified_tag("a1b2c3d" + "0" * 33) == "staging-a1b2c3d-verified"


@pytest.mark.parametrize(("environment", "refused"), [("production", True), ("staging", False)])
def test_nothing_is_published_for_what_is_promoted_to(environment: str, refused: bool) -> None:  # noqa: FBT001
    """Publishing for production is told what to do instead."""
    expected: Callable[[], AbstractContextManager[Any]] = (
        (lambda: pytest.raises(ConfigError, match="what staging has verified")) if refused else nullcontext
    )
    with expected():
        stages.check_built_for(STAGES[environment])
