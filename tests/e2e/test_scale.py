"""Many objects: what is done for each of them does not grow with their number."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from planera_ci.cluster.client import Cluster
from planera_ci.domain.manifests import Obj
from planera_ci.errors import DeploymentError
from planera_ci.tasks import each
from tests.e2e.harness import deployer_of, run
from tests.e2e.objects import listed
from tests.e2e.small import PAUSE, deploy, objects, opened

_FEW, _MANY = 30, 300
_TIMES = 3
"""How much longer than ten times the few may the many take: by the square it would be ten times longer."""
_NOISE = 4000
"""Bytes of each setting that cannot be compressed."""
_SURE, _WRITES = 2.0, 600
"""Seconds for which the lock is said to be sure, of which a write needs one; and writes, which take longer."""


@pytest.fixture
def namespace() -> Iterator[str]:
    """Return the name of a namespace that is made by a test, and remove it."""
    name = f"planera-t{secrets.token_hex(3)}"
    yield name
    run(["kubectl", "delete", "namespace", name, "--wait=false", "--ignore-not-found"])


@pytest.fixture
def cluster(namespace: str, tmp_path: Path) -> Cluster:
    """Return the cluster as the account that deploys to the namespace."""
    return opened(str(deployer_of(namespace, tmp_path)))


def _settings(namespace: str, count: int, text: Callable[[int], str]) -> tuple[Obj, ...]:
    return tuple(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"settings-{number:04}", "namespace": namespace},
            "data": {"text": text(number)},
        }
        for number in range(count)
    )


def test_ten_times_the_objects_take_ten_times_as_long(cluster: Cluster, namespace: str) -> None:
    """Planned, applied, left as they are, and removed: in processor time, which others on the machine do not add to."""
    spent: dict[int, float] = {}
    objs = _settings(namespace, _MANY, lambda number: f"line of {number}\n" * 20)
    deploy(cluster, namespace, "one", objs[:1])  # what is done once in a process is done
    for count in (_FEW, _MANY):
        begun = time.process_time()
        first, again = (deploy(cluster, namespace, str(count), objs[:count]) for _ in range(2))
        spent[count] = time.process_time() - begun
        assert (first["outcome"], again["outcome"]) == ("succeeded", "succeeded")
        assert again["revision"] == first["revision"], "nothing changed"
    left = deploy(cluster, namespace, "less", objs[:_FEW])
    assert _removed(left) == _MANY - _FEW
    assert spent[_MANY] < _TIMES * (_MANY / _FEW) * spent[_FEW], spent


def _removed(report: dict[str, Any]) -> int:
    said = next(step["text"] for step in report["steps"] if step["name"] == "apply")
    return int(said.split()[-2])


def test_release_too_large_for_one_configmap_is_kept_and_put_back(cluster: Cluster, namespace: str) -> None:
    """Settings that cannot be compressed come to more than 1 MiB; a release that fails brings all of them back."""
    large = _settings(namespace, _MANY, lambda _: secrets.token_hex(_NOISE))
    assert deploy(cluster, namespace, "large", large)["revision"] == 1
    assert len(listed(namespace, "configmaps", selector="planera-ci/kind")) > 1
    with pytest.raises(DeploymentError, match="Rolled back to revision 1"):
        deploy(cluster, namespace, "broken", objects(namespace, "broken", f"{PAUSE}:3.10", broken=True))
    others = listed(namespace, "configmaps", selector="!planera-ci/kind")
    assert {obj["metadata"]["name"]: obj["data"] for obj in others}.items() >= {
        obj["metadata"]["name"]: obj["data"] for obj in large
    }.items()


async def test_write_that_waited_for_its_turn_is_as_safe_as_the_first(cluster: Cluster, namespace: str) -> None:
    """The lock is asked when a write is sent: of many at once the last ones wait for longer than the lock is sure."""

    async def fence() -> float:
        return _SURE

    one = replace(cluster, limit=anyio.CapacityLimiter(1), patience=0).guarded(fence)
    objs = _settings(namespace, _WRITES, str)
    begun = anyio.current_time()
    await each(range(_WRITES), lambda number: one.apply(objs[number]))
    assert anyio.current_time() - begun > _SURE - 1, "they were written too fast to say anything"
