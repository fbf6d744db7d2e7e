"""What need not be tried again: the same images, run in the same way, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from planera_ci.domain.history import Outcome, Record
from planera_ci.domain.manifests import pinned
from planera_ci.domain.proven import Proven

_PINS = {"planera-backend": "ghcr.io/planera/planera-backend@sha256:" + "a" * 64}
_BACKEND: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "backend", "namespace": "n"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "backend"}},
        "template": {
            "metadata": {"labels": {"app": "backend"}},
            "spec": {
                "containers": [
                    {
                        "name": "backend",
                        "image": "planera-backend",
                        "env": [{"name": "LOG_LEVEL", "value": "info"}],
                        "ports": [{"containerPort": 8000}],
                    }
                ]
            },
        },
    },
}


def _record(images: dict[str, str]) -> Record:
    return Record(revision=7, version="abc", outcome=Outcome.SUCCEEDED, images=images, inventory=())


def _proven() -> Proven:
    applied = pinned((copy.deepcopy(_BACKEND),), _PINS, {"planera-backend": "abc"})
    return Proven.by(_record(_PINS), applied, "planera")


def _edited(**container: Any) -> dict[str, Any]:
    obj = copy.deepcopy(_BACKEND)
    obj["spec"]["template"]["spec"]["containers"][0] |= container
    return obj


def test_same_images_run_the_same_way_are_proven() -> None:
    """What was applied, pinned and annotated, is compared with manifests that are neither."""
    assert _proven().covers(_PINS, (copy.deepcopy(_BACKEND),), "planera")


def test_what_does_not_change_how_it_is_run_stays_proven() -> None:
    """More replicas are the cluster's concern: the smoke test runs one container of each."""
    obj = copy.deepcopy(_BACKEND)
    obj["spec"]["replicas"] = 3
    assert _proven().covers(_PINS, (obj,), "planera")


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "LOG_LEVEL", "value": "debug"}]},
        {"ports": [{"containerPort": 9000}]},
        {"args": ["--fast"]},
        {"readinessProbe": {"httpGet": {"path": "/health", "port": 8000}}},
    ],
    ids=["environment", "port", "arguments", "probe"],
)
def test_another_way_to_run_is_to_be_tried(container: dict[str, Any]) -> None:
    """The images are proven each, the release is not."""
    proven = _proven()
    assert proven.has("planera-backend", _PINS["planera-backend"])
    assert not proven.covers(_PINS, (_edited(**container),), "planera")


def test_another_image_is_to_be_tried() -> None:
    """One digest that differs, or one image more, is enough."""
    other = {"planera-backend": _PINS["planera-backend"].replace("a" * 64, "b" * 64)}
    for pins in (other, {**_PINS, "postgres:17": "docker.io/library/postgres@sha256:" + "c" * 64}):
        assert not _proven().covers(pins, (copy.deepcopy(_BACKEND),), "planera")
    assert not _proven().has("planera-backend", other["planera-backend"])


def test_nothing_is_proven_at_first() -> None:
    """Before the first good revision everything is to be tried."""
    assert not Proven().covers({}, (), "planera")
    assert not Proven().has("planera-backend", "")
