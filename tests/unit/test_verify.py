"""What the cluster says of a service."""

from __future__ import annotations

from typing import Any

from planera_ci.cluster.verify import served_names


def _slice(service: str, *ready: bool | None) -> dict[str, Any]:
    ends = [{"conditions": {} if each is None else {"ready": each}} for each in ready]
    return {"metadata": {"labels": {"kubernetes.io/service-name": service}}, "endpoints": ends}


def test_service_is_served_by_one_ready_endpoint_of_any_slice() -> None:
    """All services are known from one look at all slices, however many there are of either."""
    bare = {"metadata": {}, "endpoints": [{"conditions": {"ready": True}}]}
    none = {**_slice("none"), "endpoints": None}
    slices = [_slice("a", False, None), _slice("b", False, True), _slice("c"), _slice("a", True), none, bare]
    assert served_names(slices) - {""} == {"a", "b"}
