"""The manifests of this repository: readable one by one, free of secrets, and runnable by the smoke test."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from planera_ci.domain import manifests as m
from planera_ci.domain.images import ImageRef, is_logical
from planera_ci.domain.smoke import smoke_plan

FOLDER = Path(__file__).parents[2] / "k8s"
FILES = sorted(file for file in (FOLDER / "base").glob("*.yaml") if file.name != "kustomization.yaml")


@pytest.fixture(scope="module")
def objs() -> list[m.Obj]:
    """All objects of the base, with the ConfigMaps that kustomize generates."""
    found = [obj for file in FILES for obj in m.parse(file.read_text(encoding="utf-8"), file.name)]
    settings = yaml.safe_load((FOLDER / "base" / "kustomization.yaml").read_text(encoding="utf-8"))
    for entry in settings.get("configMapGenerator", []):
        data = dict(literal.split("=", 1) for literal in entry.get("literals", ()))
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": entry["name"]}, "data": data})
    return found


def test_no_secret_stands_in_a_manifest(objs: list[m.Obj]) -> None:
    """Secrets are written by the pipeline, never kept in git."""
    assert not m.of_kind(objs, "Secret")


def test_images_are_components_or_have_a_tag(objs: list[m.Obj]) -> None:
    """A third-party image says its version; a component's is published by the pipeline."""
    for image in m.images(objs):
        assert is_logical(image) or ImageRef.parse(image).tag not in ("", "latest"), image
    assert m.components(objs, "planera") == ("backend", "frontend")


def test_smoke_test_can_be_derived(objs: list[m.Obj]) -> None:
    """Everything that the smoke test needs stands in the manifests."""
    plan = smoke_plan(objs, "planera", "a1b2c3d")
    assert [run.name for run in plan.services] == ["postgres"]
    assert [run.name for run in plan.jobs]
    runs = [run for group in plan.components for run in group]
    assert {run.name for run in runs} == {"backend", "frontend"}
    assert all(run.readiness and run.requests for run in runs), "each component is asked something"


def test_every_resource_of_the_base_is_listed() -> None:
    """A file that no kustomization names would be applied by nobody."""
    listed = yaml.safe_load((FOLDER / "base" / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert sorted(listed) == [file.name for file in FILES]
