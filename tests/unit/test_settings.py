"""What planera.toml may say, and how each mistake in it is told."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, cast

import dagger
import pytest

from planera_ci.domain.application import Application
from planera_ci.domain.settings import parse
from planera_ci.errors import ConfigError
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.registry import Registry
from planera_ci.pipeline.source import Source


@pytest.mark.cases("settings")
def test_file_describes_an_application_or_is_refused(case: Any) -> None:
    """Every key has Planera's value where it is left out; a refusal names the file, the key and the remedy."""
    refused = pytest.raises(ConfigError) if "refused" in case else nullcontext()
    with refused as raised:
        said = parse(case["text"])
        stages = {name: [stage.promotes, stage.phrase] for name, stage in said.stages.items()}
        facts = {**vars(said), "stages": stages}
        assert case["said"] == {key: facts[key] for key in case["said"]}
    assert case.get("refused", "") in str(raised.value if raised else "")


def test_environment_that_the_application_does_not_have_is_refused() -> None:
    """The message names those that it has."""
    nothing = cast("dagger.Directory", None)
    project = Project("planera", "nobody", Source(nothing, None), nothing, Registry("ghcr.io", "nobody", None))
    assert project.stage("production").promotes == "staging"
    assert project.first == "staging"
    with pytest.raises(ConfigError, match="there is no such environment"):
        project.stage("live")


def test_what_is_tried_is_tried_as_in_the_first_environment_that_is_built_for() -> None:
    """An application with other environments need not name one to be built, tested or smoke-tested."""
    stages = parse('[environments.live]\npromotes = "test"\n[environments.test]').stages
    nothing = cast("dagger.Directory", None)
    registry = Registry("ghcr.io", "nobody", None)
    assert Project("shop", "nobody", Source(nothing, None), nothing, registry, stages).first == "test"


def test_application_that_says_nothing_is_planera() -> None:
    """No file is the same as an empty one."""
    assert parse("") == Application()
