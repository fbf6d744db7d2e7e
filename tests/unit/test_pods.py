"""Which pods a workload means."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.domain.pods import pods_of


@pytest.mark.cases("pods")
def test_pods_are_selected_by_the_workloads_selector(case: Any) -> None:
    """Pods on their way out and pods of others are left aside."""
    found = pods_of({"spec": {"selector": case["selector"]}}, case["pods"])
    assert [pod["metadata"]["name"] for pod in found] == case["found"]
