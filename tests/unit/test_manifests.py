"""Rendered manifests as objects: read, checked, pinned and ordered."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from planera_ci.domain import manifests as m
from planera_ci.errors import ManifestError

Refusal = Callable[[type[Exception]], AbstractContextManager[object]]


@pytest.mark.cases("manifests/parse")
def test_manifests_are_read_or_refused_in_a_sentence(case: Any, refusal: Refusal) -> None:
    """A stream of YAML becomes objects, or an error that says which document and what is wrong."""
    with refusal(ManifestError):
        assert [str(m.Key.of(obj)) for obj in m.parse(case["text"], "staging")] == case["keys"]


@pytest.mark.cases("manifests/namespace")
def test_environment_lives_in_one_namespace(case: Any, refusal: Refusal) -> None:
    """The one namespace of an environment's objects is found; none or several are refused."""
    with refusal(ManifestError):
        assert m.namespace_of(case["objects"], "staging") == case["namespace"]


@pytest.mark.cases("manifests/waves")
def test_waves_put_first_what_others_need(case: Any) -> None:
    """Objects are applied in waves by their kinds."""
    objs = [{"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}} for kind in case["kinds"]]
    found = m.waves(objs)
    assert [sorted(obj["kind"] for obj in wave) for wave in found] == case["waves"]
    assert sum(map(len, found)) == len(objs)


def test_waves_do_not_depend_on_the_order_of_the_files() -> None:
    """Within a wave, objects are sorted, so that two runs do the same."""
    objs = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in "cab"]
    assert m.waves(objs) == m.waves(reversed(objs))


@pytest.mark.cases("manifests/pinned")
def test_images_are_pinned(case: Any, refusal: Refusal) -> None:
    """Every image is replaced by its pin, and the commit is written where a component runs."""
    before = copy.deepcopy(case["objects"])
    only = case.get("digests_only", True)
    with refusal(ManifestError):
        done = m.pinned(case["objects"], case["pins"], case["revisions"], digests_only=only)
        assert list(m.images(done)) == case["images"]
        assert (done[0]["spec"]["template"].get("metadata") or {}).get("annotations", {}) == case["annotations"]
    assert case["objects"] == before, "the manifests given are left as they are"


@pytest.mark.cases("manifests/unpinned")
def test_pinned_images_are_named_as_before(case: Any) -> None:
    """What was applied is compared with the manifests by their own names for images."""
    before = copy.deepcopy(case["objects"])
    assert list(m.images(m.unpinned(case["objects"], case["pins"]))) == case["images"]
    assert case["objects"] == before, "the objects given are left as they are"


def test_pinning_and_unpinning_leaves_the_manifests_as_they_were() -> None:
    """Pins are taken out as they were put in."""
    spec = {"containers": [{"name": "api", "image": "planera-backend"}, {"name": "db", "image": "postgres:17"}]}
    objs = (
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "b"},
            "spec": {"template": {"spec": spec}},
        },
    )
    pins = {"planera-backend": "ghcr.io/p/planera-backend@sha256:aa", "postgres:17": "docker.io/postgres@sha256:cc"}
    assert m.unpinned(m.pinned(objs, pins, {}), pins) == objs


@pytest.mark.cases("manifests/secret_versions")
def test_pods_that_read_a_changed_value_are_marked(case: Any) -> None:
    """A Secret's new value reaches the pods that read it, and only those."""
    before = copy.deepcopy(case["objects"])
    marked = m.with_secret_versions(case["objects"], "planera-secrets", case["versions"])
    templates = [(obj.get("spec") or {}).get("template") or {} for obj in marked]
    assert [(each.get("metadata") or {}).get("annotations") for each in templates] == case["annotations"]
    assert case["objects"] == before, "the objects given are left as they are"


@pytest.mark.cases("manifests/images")
def test_images_and_components_are_found(case: Any, refusal: Refusal) -> None:
    """All images that run are known before anything is built, and so are the components."""
    if "images" in case:
        assert list(m.images(case["objects"])) == case["images"]
    with refusal(ManifestError):
        assert list(m.components(case["objects"], "planera")) == case["components"]


@pytest.mark.cases("manifests/secrets")
def test_needed_secrets_are_found(case: Any) -> None:
    """The keys that the pipeline must fill, and the secrets that images are pulled with."""
    assert list(m.secret_keys(case["objects"], "planera-secrets")) == case["keys"]
    assert list(m.pull_secrets(case["objects"])) == case["pull"]
