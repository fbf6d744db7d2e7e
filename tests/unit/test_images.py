"""Image references, components, repositories, commits and tags."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from planera_ci.domain import images
from planera_ci.domain.images import ImageRef
from planera_ci.domain.stages import STAGES
from planera_ci.errors import ConfigError, ManifestError

Refusal = Callable[[type[Exception]], AbstractContextManager[object]]


@pytest.mark.cases("images/reference")
def test_reference_is_split_as_the_oci_spec_says(case: Any, refusal: Refusal) -> None:
    """A reference has a name, and it may have a tag and a digest; written again it is the same."""
    with refusal(ManifestError):
        ref = ImageRef.parse(case["text"])
        assert ref == ImageRef(case["name"], case.get("tag", ""), case.get("digest", ""))
        assert str(ref) == case["text"]


def test_pinned_reference_drops_its_tag() -> None:
    """A digest names one image for ever, so the tag beside it would only mislead."""
    assert str(ImageRef.parse("postgres:17").at("sha256:aa11")) == "postgres@sha256:aa11"


@pytest.mark.cases("images/component")
def test_component_is_read_from_a_logical_name(case: Any, refusal: Refusal) -> None:
    """Only NAME-COMPONENT stands for a component."""
    with refusal(ManifestError):
        assert images.component_of(case["image"], "planera") == case["component"]


@pytest.mark.cases("images/logical")
def test_logical_names_are_told_from_references(case: Any) -> None:
    """A logical name is what the pipeline builds; everything else is pulled."""
    assert images.is_logical(case["image"]) is case["logical"]


@pytest.mark.cases("images/repository")
def test_repository_is_a_name_that_registries_accept(case: Any, refusal: Refusal) -> None:
    """Registry, owner, application and component name a package."""
    with refusal(ConfigError):
        assert images.repository(*case["parts"]) == case["name"]


@pytest.mark.cases("images/commit")
def test_commit_is_checked(case: Any, refusal: Refusal) -> None:
    """What git prints for a commit is taken, and nothing else."""
    with refusal(ConfigError):
        assert images.checked_commit(case["commit"]) == case["checked"]


@pytest.mark.cases("images/tags")
def test_version_names_its_tags(case: Any) -> None:
    """A version gives one tag that stays and one that moves, both within a tag's alphabet."""
    version = images.version_of(case["commit"], case.get("dirty", ""))
    assert version == case["version"]
    assert images.short(version) == case["short"]
    found = STAGES[case["environment"]].tags(version)
    assert list(found) == case["tags"]
    assert all(re.fullmatch(r"[\w][\w.-]{0,127}", tag) for tag in found)


@pytest.mark.parametrize("name", ["../backend", "/etc", "Backend", "", "a b", "back--end"])
def test_component_that_is_no_folder_name_is_refused(name: str) -> None:
    """A component given by hand cannot lead out of the source."""
    with pytest.raises(ConfigError, match="it is no component"):
        images.checked_component(name)


def test_component_that_is_a_folder_name_is_taken() -> None:
    """An ordinary name passes unchanged."""
    assert images.checked_component("backend") == "backend"
