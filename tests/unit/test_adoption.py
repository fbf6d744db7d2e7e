"""What is taken over from client-side apply, and what an object is foreseen to be then."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.domain.adoption import adoption, set_by_hand


@pytest.mark.cases("adoption/who")
def test_fields_of_client_side_apply_become_ours(case: Any) -> None:
    """By who owns them: kubectl, or who wrote its copy; in one entry, if the object is still the same."""
    live = {"metadata": {"resourceVersion": "7", "managedFields": case["entries"]}}
    found = adoption(live, "us")
    assert (found.managers if found else ()) == tuple(case.get("adopted", ()))
    if found:
        owners, version = found.patch()
        assert owners == {"op": "replace", "path": "/metadata/managedFields", "value": case["after"]}
        assert version == {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
        assert adoption({"metadata": {"managedFields": case["after"]}}, "us") is None, "once"


def test_what_stays_although_nobody_wants_it_is_named() -> None:
    """Each of kubectl's commands that own a field, once."""
    managers = ("kubectl-edit", "kubectl", "kubectl-client-side-apply", "kubectl-set", "kubectl-edit", "helm")
    entries = [{"manager": name, "operation": "Update"} for name in managers]
    entries.append({"manager": "kubectl-other", "operation": "Apply"})
    assert set_by_hand({"metadata": {"managedFields": entries}}) == ("kubectl-edit", "kubectl-set")
    assert set_by_hand({"metadata": {}}) == ()


@pytest.mark.cases("adoption/foreseen")
def test_object_is_foreseen_as_applying_will_make_it(case: Any) -> None:
    """Without what was applied and is not wanted, unless it is somebody else's; with what is wanted laid over."""
    found = adoption(case["live"], "us")
    assert found
    steps = {step["path"]: step.get("value") for step in found.foreseen(case["wanted"])}
    assert steps == case["steps"]
