"""Which volumes hold a workload's data, and which values those were made with."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.domain.manifests import Key
from planera_ci.domain.volumes import Stake, claims, made_by, stakes


@pytest.mark.cases("volumes")
def test_values_on_which_data_depend_are_known(case: Any) -> None:
    """A value that is lacking is at stake where a workload reads it once, or where there is no Secret at all."""
    found = [claim.name for claim in claims(case["object"])]
    assert found == case["claims"]
    for anew in (True, False):
        expected = case["anew"] if anew else case["once"]
        at_stake = [
            Stake(key, Key.of(case["object"]), tuple(Key("v1", "PersistentVolumeClaim", "n", name) for name in found))
            for key in expected
        ]
        lacking = ("database-password", "jwt-secret")
        assert list(stakes([case["object"]], "planera-secrets", lacking, anew=anew)) == at_stake
        assert list(stakes([case["object"]], "planera-secrets", (), anew=anew)) == []


def test_claim_of_a_release_of_ours_is_known() -> None:
    """Its volume was empty when it came; one that a controller or a person made may not have been."""
    assert made_by({"metadata": {"managedFields": [{"manager": "x"}, {"manager": "us"}]}}, "us")
    assert not made_by({"metadata": {"managedFields": [{"manager": "x"}]}}, "us")
    assert not made_by({"metadata": {}}, "us")
