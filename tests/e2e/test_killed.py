"""A deployment that is killed at any of its writes leaves what the next one repairs, without a human."""

from __future__ import annotations

import json
import secrets
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any

import pytest

from tests.e2e.harness import deployer_of, run
from tests.e2e.objects import listed
from tests.e2e.small import Ended, Order, Run, deployed

_AT_ONCE = 8
_LEAST_WRITES, _MOST_WRITES = 6, 24


@dataclass(frozen=True)
class Small:
    """A namespace with two small workloads."""

    namespace: str
    kubeconfig: str
    image: str

    def order(self, version: str, *more: Any, **flags: Any) -> Order:
        """Return the order for a version of it."""
        return Order(self.namespace, self.kubeconfig, self.image, version, *more, **flags)

    def get(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return live objects by name."""
        return {item["metadata"]["name"]: item for item in listed(self.namespace, kind)}

    def records(self) -> dict[int, dict[str, Any]]:
        """Return the history by revision."""
        found = (json.loads(o["data"]["record"]) for n, o in self.get("configmaps").items() if "-revision-" in n)
        return {record["revision"]: record for record in found}

    def versions(self) -> set[str]:
        """Return what the settings and both workloads say that they are."""
        env = (o["spec"]["template"]["spec"]["containers"][0]["env"][0] for o in self.get("deployments").values())
        return {entry["value"] for entry in env} | {self.get("configmaps")["settings"]["data"]["version"]}


@pytest.fixture(scope="module")
def image() -> str:
    """Return an image that does nothing, by the digest under which the node has it."""
    name = f"pause-{secrets.token_hex(3)}"
    run(["kubectl", "run", name, "--image=registry.k8s.io/pause:3.10", "--restart=Never"])
    try:
        run(["kubectl", "wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s"])
        return run(["kubectl", "get", "pod", name, "-o", "jsonpath={.status.containerStatuses[0].imageID}"])
    finally:
        run(["kubectl", "delete", "pod", name, "--wait=false"])


@pytest.fixture(scope="module")
def smalls(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Small]]:
    """Make namespaces in which a first version runs; each test goes on with what the one before it left."""
    folder = tmp_path_factory.mktemp("smalls")
    names = [f"planera-small-{secrets.token_hex(3)}" for _ in range(_AT_ONCE)]

    def made(name: str) -> Small:
        return Small(name, str(deployer_of(name, folder / name)), image)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        smalls = list(pool.map(made, names))
        done = list(pool.map(lambda small: deployed(small.order("first")), smalls))
    yield smalls
    for small in smalls:
        run(["kubectl", "delete", "namespace", small.namespace, "--wait=false"])
    assert all(one.code == 0 for one in done), done


def _wrong(small: Small, version: str, done: Ended) -> list[str]:
    """Return what is not as it should be after the deployment that followed a killed one."""
    if done.code != 0:
        return [done.error]
    records = [record for _, record in sorted(small.records().items())]
    facts = {
        "what runs": small.versions() == {version},
        "pods": all(o["status"].get("availableReplicas") == 1 for o in small.get("deployments").values()),
        "what only the killed one had is gone": "extra" not in small.get("configmaps"),
        "the lock is free": not small.get("leases")["planera-deploy"]["spec"].get("holderIdentity"),
        "the record is closed": records[-1]["outcome"] == "succeeded" and records[-1]["version"] == version,
    }
    return [fact for fact, holds in facts.items() if not holds]


@pytest.mark.parametrize(
    ("named", "killed", "again"),
    [("other", {"extra": True}, False), ("same", {}, True), ("failing", {"extra": True, "broken": True}, False)],
    ids=["then another version", "then the same version", "in a failure and its rollback"],
)
def test_killed_after_any_write_the_next_deployment_repairs(
    smalls: list[Small], named: str, killed: dict[str, bool], *, again: bool
) -> None:
    """Lock, history, every object, the record's end, evidence, rollback: each is once the last that was written."""
    writes = Queue[int]()
    for write in range(1, _MOST_WRITES + 1):
        writes.put(write)
    wrong: list[str] = []
    ended: list[int] = []

    def work(small: Small) -> None:
        while not ended:
            try:
                write = writes.get_nowait()
            except Empty:
                return
            dead = deployed(small.order(f"{named}-killed-{write}", write, **killed))
            if dead.code == 0 or "Rolled back" in dead.error:
                ended.append(write)  # it had fewer writes than that
            elif dead.code != -signal.SIGKILL:
                wrong.append(f"write {write}: {dead.error}\n{dead.said}")
            version = f"{named}-killed-{write}" if again else f"{named}-next-{write}"
            done = deployed(small.order(version))
            wrong.extend(f"after write {write}: {what}\n{done.said}" for what in _wrong(small, version, done))

    with ThreadPoolExecutor() as pool:
        list(pool.map(work, smalls))
    assert not wrong, "\n".join(wrong)
    assert ended, f"a deployment of two workloads has more than {_MOST_WRITES} writes"
    assert min(ended) > _LEAST_WRITES, "too few writes were tried to be all of them"


def test_run_that_slept_through_its_lease_writes_nothing_more(smalls: list[Small]) -> None:
    """Fencing: who lost the lock to another finds out before its next write, and leaves what that one made."""
    small = smalls[0]
    sleeper = Run.of(small.order("asleep", 3, signal.SIGSTOP, extra=True))
    sleeper.stopped()
    other = deployed(small.order("awake"))
    before = {name: o["metadata"]["resourceVersion"] for name, o in small.get("configmaps,leases").items()}
    sleeper.goes_on()
    ended = sleeper.ended()
    assert other.code == 0, other.error
    assert ended.code == 1
    assert "the lock is not its own any more" in ended.error
    assert small.versions() == {"awake"}
    assert {name: o["metadata"]["resourceVersion"] for name, o in small.get("configmaps,leases").items()} == before
