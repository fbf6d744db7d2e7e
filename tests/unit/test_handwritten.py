"""The hand-written set-up of docs/migrating.md, and what becomes of it: what cannot be changed is the same in both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parents[1] / "e2e/handwritten"
_LASTING = {"Deployment", "StatefulSet", "Service", "Ingress"}
_FIXED = ("selector", "serviceName", "volumeClaimTemplates", "clusterIP", "tls", "ingressClassName")


def _objects(state: str) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for file in (_FOLDER / state / "k8s/staging").glob("*.yaml"):
        for obj in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if obj["kind"] in _LASTING:
                found[obj["kind"], obj["metadata"]["name"]] = obj["spec"]
    return found


def test_names_selectors_and_claims_stay_to_the_letter() -> None:
    """Another name would be another object, and the rest is refused or makes everything anew."""
    before, after = _objects("before"), _objects("after")
    assert len(before) == 7
    assert before.keys() == after.keys()
    for key, spec in before.items():
        for field in _FIXED:
            assert spec.get(field) == after[key].get(field), (key, field)


def test_what_is_left_behind_is_in_no_manifest_any_more() -> None:
    """No placeholder, no Secret and no tag of ours stands there after it."""
    text = {
        state: "".join(file.read_text(encoding="utf-8") for file in (_FOLDER / state).rglob("*.yaml"))
        for state in ("before", "after")
    }
    for word in ("__SHA__", "__OWNER__", "IMAGE_TAG", "kind: Secret", "DEBUG_TOKEN", "ghcr-login"):
        assert word in text["before"]
        assert word not in text["after"]
