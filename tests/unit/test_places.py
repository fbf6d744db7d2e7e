"""Where in the sources a failure lies."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.domain.places import Place, in_log, in_manifests

MANIFESTS = {
    "base/backend.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: backend\n---\n"
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: backend # the API\nspec:\n  name: x\n",
    "base/frontend.yaml": 'kind: Deployment\nmetadata:\n  name: "frontend"\n',
}


@pytest.mark.cases("places/log")
def test_log_leads_to_a_line_of_the_component(case: Any) -> None:
    """Python, pytest and Node.js each name files in a way of their own; libraries are not where to look."""
    found = in_log(case["log"], case["files"], case["component"])
    assert found == (Place(*case["place"]) if case["place"] else None)


@pytest.mark.parametrize(
    ("kind", "name", "place"),
    [
        ("deployment", "backend", Place("base/backend.yaml", 7)),
        ("service", "backend", Place("base/backend.yaml", 2)),
        ("deployment", "frontend", Place("base/frontend.yaml", 1)),
        ("deployment", "front", None),
        ("statefulset", "backend", None),
    ],
)
def test_object_is_found_where_its_document_says_its_kind(kind: str, name: str, place: Place | None) -> None:
    """A verdict names an object; the manifests say where it is described."""
    assert in_manifests(MANIFESTS, kind, name) == place
