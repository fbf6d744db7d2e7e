"""What `kubectl` applied becomes ours: the plan foresees what will be, and nothing of the old manifests stays."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from planera_ci.cluster.apply import plan, write
from planera_ci.cluster.client import Cluster
from planera_ci.cluster.secrets import check_generated
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.plan import Action, Plan
from planera_ci.errors import ConfigError, Rejected
from tests.e2e.harness import deployer_of, run
from tests.e2e.small import opened

_OLD, _NEW = (
    Path(__file__).with_name("adoption.yaml").read_text().split("# what they are to become\n")[at] for at in (0, 1)
)
_MOST = {"Secret", "ConfigMap", "Service", "Deployment", "Ingress"}


class Busy(Cluster):
    """A cluster in which somebody changes an object just before its fields are taken over."""

    once = True

    async def patch(self, key: Key, steps: list[Obj], *, dry_run: bool = False) -> Obj:
        if key.kind == "Deployment" and not dry_run and Busy.once:
            Busy.once = False
            run(["kubectl", "-n", key.namespace, "annotate", "deployment", key.name, "touched=meanwhile"])
        return await super().patch(key, steps, dry_run=dry_run)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Make a namespace, and the kubeconfig of the account that deploys to it."""
    namespace = f"planera-t{secrets.token_hex(3)}"
    yield namespace, deployer_of(namespace, tmp_path_factory.mktemp("access"))
    run(["kubectl", "delete", "namespace", namespace, "--wait=false"])


@pytest.fixture
def applied(place: tuple[str, Path]) -> tuple[str, Path]:
    """Apply the old manifests as hand-written workflows do, with something set and scaled by hand."""
    namespace = place[0]
    kinds = "deployments,services,secrets,configmaps,ingresses,jobs,persistentvolumeclaims"
    run(["kubectl", "-n", namespace, "delete", kinds, "--all"])
    _kubectl(namespace, "apply", "-f", "-", told=_OLD)
    _kubectl(namespace, "set", "env", "deployment/backend", "BY_HAND=yes")
    _kubectl(namespace, "scale", "deployment/backend", "--replicas=0")
    return place


def _kubectl(namespace: str, *words: str, told: str = "") -> None:
    command = ["kubectl", "-n", namespace, *words]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _wanted(namespace: str) -> list[Obj]:
    objs: list[Obj] = list(yaml.safe_load_all(_NEW))
    for obj in objs:
        obj["metadata"]["namespace"] = namespace
    return objs


def _lines(found: Plan) -> dict[str, tuple[str, ...]]:
    return {str(change.key): change.lines for change in found.changes if change.key.kind != "Job"}


def _places(found: Plan) -> dict[str, list[str]]:
    return {key: [line.partition(": ")[0] for line in lines] for key, lines in _lines(found).items()}


def _live(namespace: str, name: str) -> Any:
    return yaml.safe_load(run(["kubectl", "-n", namespace, "get", name, "-o", "yaml", "--show-managed-fields"]))


@pytest.mark.parametrize("kind", [Cluster, Busy], ids=["quiet", "busy"])
def test_plan_foresees_what_adoption_makes_of_each_object(applied: tuple[str, Path], kind: type[Cluster]) -> None:
    """The same lines before the fields are ours, after, and where a run was killed between; then nothing is left."""
    namespace, kubeconfig = applied
    cluster, objs = opened(str(kubeconfig), kind), _wanted(namespace)

    async def adopt() -> tuple[Plan, ...]:
        foreseen = await plan(cluster, objs)
        found = await plan(cluster, objs, adopt=True)
        again = await plan(cluster, objs)
        for obj, change in zip(objs, again.changes, strict=True):
            await write(cluster, obj, change)
        return foreseen, found, again, await plan(cluster, objs)

    foreseen, found, again, last = anyio.run(adopt)
    assert _lines(foreseen) == _lines(found)
    assert kind is Cluster or _live(namespace, "deployment/backend")["metadata"]["annotations"]["touched"]
    assert _places(found) == _places(again)
    assert {change.key.kind for change in foreseen.changes if change.adopted} == _MOST
    assert not any(change.adopted for change in again.changes)
    assert [change.action for change in last.changes] == [Action.KEEP] * len(objs)
    assert "letmein" not in foreseen.text()
    made = _live(namespace, "deployment/backend")
    spec = made["spec"]["template"]["spec"]
    assert [container["name"] for container in spec["containers"]] == ["backend"]
    assert {"name": "BY_HAND", "value": "yes"} in spec["containers"][0]["env"], "what others own stays"
    assert made["spec"]["replicas"] == 0
    owners = {entry["manager"] for entry in made["metadata"]["managedFields"]}
    assert "kubectl-client-side-apply" not in owners


def test_what_rollout_undo_brought_back_goes_with_the_next_release(applied: tuple[str, Path]) -> None:
    """An undo by kubectl takes an old template back as it was; it is neither in the way nor left over."""
    namespace, kubeconfig = applied
    cluster, objs = opened(str(kubeconfig)), _wanted(namespace)

    async def deploy() -> Plan:
        found = await plan(cluster, objs, adopt=True)
        for obj, change in zip(objs, found.changes, strict=True):
            await write(cluster, obj, change)
        return found

    anyio.run(deploy)
    ours = _live(namespace, "deployment/backend")["spec"]["template"]
    _kubectl(namespace, "rollout", "status", "deployment/backend", "--timeout=30s")
    _kubectl(namespace, "rollout", "undo", "deployment/backend")
    assert _live(namespace, "deployment/backend")["spec"]["template"] != ours
    assert [change.adopted for change in anyio.run(deploy).changes if change.adopted] == [("kubectl",)]
    assert _live(namespace, "deployment/backend")["spec"]["template"] == ours


def test_what_was_set_by_hand_is_named_where_it_is_in_the_way(applied: tuple[str, Path]) -> None:
    """A variable cannot have a value and a source; who set the value is told, and how to go on."""
    namespace, kubeconfig = applied
    _kubectl(namespace, "set", "env", "deployment/backend", "--containers=backend", "JWT_SECRET=by-hand")
    with pytest.raises(Rejected, match=r"`value` is not empty.* take back what was set by hand \(kubectl-set\)"):
        anyio.run(plan, opened(str(kubeconfig)), _wanted(namespace))
    _kubectl(namespace, "set", "env", "deployment/backend", "--containers=backend", "JWT_SECRET-")
    anyio.run(plan, opened(str(kubeconfig)), _wanted(namespace))


_DATABASE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres, annotations: {planera-ci/once: database-password}}
spec:
  template:
    spec:
      containers:
        - name: postgres
          env: [{name: P, valueFrom: {secretKeyRef: {name: planera-secrets, key: database-password}}}]
  volumeClaimTemplates: [{metadata: {name: data}}]
"""
_CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-postgres-0}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
"""


def test_no_password_is_generated_beside_a_volume_that_is_there(applied: tuple[str, Path]) -> None:
    """Without a volume, and with one that came with a release, a value may be generated; else it says what to do."""
    namespace, kubeconfig = applied
    cluster, obj = opened(str(kubeconfig)), yaml.safe_load(_DATABASE)
    obj["metadata"]["namespace"] = namespace
    check: Callable[[], None] = lambda: anyio.run(check_generated, cluster, [obj], namespace, "planera-secrets")  # noqa: E731
    run(["kubectl", "-n", namespace, "delete", "secret", "planera-secrets"])
    check()
    _kubectl(namespace, "apply", "-f", "-", told=_CLAIM)
    with pytest.raises(ConfigError, match=r"create secret generic planera-secrets --from-literal=database-password=…"):
        check()
    _kubectl(namespace, "create", "secret", "generic", "planera-secrets", "--from-literal=jwt-secret=x")
    with pytest.raises(ConfigError, match=r'patch secret planera-secrets -p .{"stringData":{"database-password":"…"}}'):
        check()
    claim = yaml.safe_load(_CLAIM)
    claim["metadata"]["namespace"] = namespace
    anyio.run(cluster.apply, claim)
    check()
