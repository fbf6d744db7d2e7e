"""A deployment of two small workloads without the CLI, in a process that is killed after any of its writes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import anyio
import dagger

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.connection import connection
from planera_ci.cluster.history import Archive
from planera_ci.domain.history import History
from planera_ci.domain.lease import Holder
from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import PlaneraError
from planera_ci.options import Options
from planera_ci.pipeline.clock import Clock
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.registry import Registry
from planera_ci.pipeline.source import Source
from planera_ci.restoration import Target
from planera_ci.transition import Transition
from tests.e2e.forked import Forked

APP = "planera"
"""The name that the deployer's rights are for."""
PAUSE = "registry.k8s.io/pause"
_NOWHERE = f"{PAUSE}@sha256:{'0' * 62}ff"


class Mortal(Cluster):
    """A cluster whose client is killed, or stopped, right after one of its writes."""

    writes = 0
    last = 0
    end = signal.SIGKILL
    held = ""

    async def _write(self, *words: Any, **more: Any) -> Any:
        done = await super()._write(*words, **more)
        if self._renews(more.get("body") or {}):
            return done
        Mortal.writes += 1
        if Mortal.writes == Mortal.last:
            os.kill(os.getpid(), Mortal.end)
        return done

    @staticmethod
    def _renews(body: Obj) -> bool:
        """Tell whether a write is a sign of life, of which there are more or fewer: the number names a step."""
        if body.get("kind") != "Lease":
            return False
        before, Mortal.held = Mortal.held, body["spec"].get("holderIdentity") or ""
        return bool(before) and before == Mortal.held


def objects(namespace: str, version: str, image: str, *, broken: bool = False, extra: bool = False) -> tuple[Obj, ...]:
    """Return settings and two workloads that read them; a broken release has an image that is nowhere."""
    names = ["settings", "extra"] if extra else ["settings"]
    configs = [_object("v1", "ConfigMap", namespace, name, data={"version": version}) for name in names]
    images = {"first": image, "second": _NOWHERE if broken else image}
    return (*configs, *(_workload(namespace, name, ref, version) for name, ref in images.items()))


def _workload(namespace: str, name: str, image: str, version: str) -> Obj:
    labels = {"app": name}
    safe = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    env = [{"name": "VERSION", "value": version}]
    container = {"name": "pause", "image": image, "env": env, "securityContext": safe}
    nobody = {"runAsNonRoot": True, "runAsUser": 65535, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"terminationGracePeriodSeconds": 0, "securityContext": nobody, "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    rolls = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return _object(
        "apps/v1",
        "Deployment",
        namespace,
        name,
        spec={"replicas": 1, "selector": {"matchLabels": labels}, "strategy": rolls, "template": template},
    )


def _object(api_version: str, kind: str, namespace: str, name: str, **rest: Any) -> Obj:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **rest}


def transition(cluster: Cluster, namespace: str, wait: float = 60, *, undo: bool = True) -> Transition:
    """Return a change of the namespace as `deploy` makes it, without a source and a registry of its own."""
    nothing = cast("dagger.Directory", None)
    project = Project(APP, "nobody", Source(nothing, None), nothing, Registry("ghcr.io", "nobody", None))
    cluster.patience = 60
    holder = Holder(f"small-{os.getpid()}", "https://ci.example/1", "test")
    options = Options(within=60, wait=wait, undo=undo)
    return Transition(project, "staging", namespace, cluster, Clock(), holder, options, f"deploy {APP} to staging")


def target(objs: tuple[Obj, ...], version: str) -> Target:
    """Return a release of these objects."""
    return Target(version, {}, objs, (), {}, tuple(Key.of(obj) for obj in objs))


def deploy(cluster: Cluster, namespace: str, version: str, objs: tuple[Obj, ...]) -> dict[str, Any]:
    """Bring the namespace to these objects and return the report."""

    async def make(_history: History, _archive: Archive) -> Target:
        return target(objs, version)

    return anyio.run(transition(cluster, namespace).run, make, version).facts()


def opened(kubeconfig: str, kind: type[Cluster] = Cluster) -> Cluster:
    """Open the lab's cluster as an account that deploys."""
    return kind(*connection(Path(kubeconfig).read_text()))


@dataclass(frozen=True)
class Ended:
    """How a deployment in a process of its own ended."""

    code: int
    error: str = ""
    report: dict[str, Any] = field(default_factory=dict)
    said: str = ""


@dataclass(frozen=True)
class Order:
    """What a process of its own is to deploy, and what ends it after which of its writes."""

    namespace: str
    kubeconfig: str
    image: str
    version: str
    last: int = 0
    end: signal.Signals = signal.SIGKILL
    broken: bool = False
    extra: bool = False


@dataclass(frozen=True)
class Run:
    """A deployment in a process of its own."""

    forked: Forked

    @classmethod
    def of(cls, order: Order) -> Run:
        """Start it."""
        return cls(Forked.of(_carry_out, order))

    def ended(self) -> Ended:
        """Wait for its end."""
        ended: Ended | None = self.forked.answer()
        return ended or Ended(self.forked.code)

    def stopped(self) -> None:
        """Wait until it does not run any more, as in a machine that sleeps."""
        while Path(f"/proc/{self.forked.process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            self.forked.process.join(0.1)

    def goes_on(self) -> None:
        """Let it run again."""
        os.kill(self.forked.process.pid or 0, signal.SIGCONT)


def deployed(order: Order) -> Ended:
    """Deploy in a process of its own, and wait for its end."""
    return Run.of(order).ended()


def _carry_out(order: Order, send: Connection) -> None:
    Mortal.last, Mortal.end = order.last, order.end
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        cluster = opened(order.kubeconfig, Mortal)
        objs = objects(order.namespace, order.version, order.image, broken=order.broken, extra=order.extra)
        try:
            ended = Ended(0, report=deploy(cluster, order.namespace, order.version, objs))
        except PlaneraError as error:
            ended = Ended(1, str(error))
    send.send(replace(ended, said=said.getvalue()))
