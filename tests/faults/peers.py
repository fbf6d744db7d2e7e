"""The same release, deployed by what most people use: Helm 4 that rolls back on failure, and kubectl that waits."""

from __future__ import annotations

import json
import subprocess
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from planera_ci.domain.manifests import of_kind
from tests.e2e.harness import ROOT, App, deployer_of, run
from tests.faults.release import Home, Obj, home, moved, own_secrets, pinned_objects, written

HOPELESS, PASSING = 30, 90
"""Seconds that each peer is given for what it waits for: in vain, or for trouble that passes."""
_TEMPLATE = '{{ .Files.Get "objects.yaml" }}\n'
# A Job cannot be changed in place: in a chart it is a hook, made anew by every upgrade, before the workloads roll.
_HOOK = {"helm.sh/hook": "post-install,pre-upgrade", "helm.sh/hook-delete-policy": "before-hook-creation"}
_RELEASE, _MOST_TEXT = "planera", 600
_CLAIM = "PersistentVolumeClaim"


@dataclass(frozen=True)
class Told:
    """How a peer's deployment ended, and what it said."""

    code: int
    text: str
    seconds: float


@dataclass
class Peer(ABC):
    """A deployer with a copy of an application in a namespace of its own."""

    app: App
    folder: Path
    timeout: int = PASSING
    there: Home = field(init=False)
    good: list[Obj] = field(init=False)
    wanted: Obj = field(init=False)
    """The pod specifications of the good version."""
    kept = "deployments,statefulsets"
    """The kinds that the peer itself puts back, if it does: a hook's Job is no part of a Helm release."""

    def __post_init__(self) -> None:
        self.there = home(self.app, self.name)

    @property
    @abstractmethod
    def name(self) -> str:
        """Return the peer's name, as in the names of its namespace and hosts."""

    @abstractmethod
    def deploy(self, objs: list[Obj]) -> Told:
        """Deploy objects as this peer's users do, and wait."""

    def prepare(self) -> None:
        """Install the good version."""
        self.good = self.objects()
        secrets = moved(own_secrets(self.app), self.app, self.there)
        deployer_of(self.there.namespace, self.folder)
        level = "pod-security.kubernetes.io/warn=privileged"
        run(["kubectl", "label", "namespace", self.there.namespace, level, "--overwrite"])
        claims = [obj for obj in self.good if obj["kind"] == _CLAIM]
        run(["kubectl", "apply", "-f", str(written([*secrets, *claims], self.folder / "before.yaml"))])
        told = self.deploy(self.good)
        assert told.code == 0, told.text
        self.wanted = self._workloads()

    def objects(self) -> list[Obj]:
        """Return the application's objects as they are edited now, for this peer's namespace."""
        return moved(pinned_objects(self.app), self.app, self.there)

    def is_back(self) -> bool:
        """Tell whether the workloads are what they are in the good version."""
        return self._workloads() == self.wanted

    def _workloads(self) -> Obj:
        out = run(["kubectl", "-n", self.there.namespace, "get", self.kept, "-o", "json"])
        return {obj["metadata"]["name"]: obj["spec"]["template"]["spec"] for obj in json.loads(out)["items"]}

    def restore(self, added: list[Obj]) -> None:
        """Put the good version back where the peer did not, and wait for it."""
        for obj in added:
            words = [obj["kind"].lower(), obj["metadata"]["name"], "--ignore-not-found", "--wait=false"]
            run(["kubectl", "-n", self.there.namespace, "delete", *words])
        if not self.is_back():
            told = self.deploy(self.good)
            assert told.code == 0, told.text
        run(["kubectl", "-n", self.there.namespace, "rollout", "status", "deployment/backend", "--timeout=90s"])

    def remove(self) -> None:
        run(["kubectl", "delete", "namespace", self.there.namespace, "--wait=false", "--ignore-not-found"])


@dataclass
class Helm(Peer):
    """Helm 4, with a chart of the same objects."""

    @property
    def name(self) -> str:
        return "helm"

    def deploy(self, objs: list[Obj]) -> Told:
        chart = self.folder / f"chart-{time.monotonic_ns()}"
        # Helm would wait for ever for a claim that is bound by the first pod of a CronJob.
        written([_as_hook(obj) for obj in objs if obj["kind"] != _CLAIM], chart / "objects.yaml")
        (chart / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": _RELEASE, "version": "1.0.0"}))
        (chart / "templates").mkdir()
        (chart / "templates" / "objects.yaml").write_text(_TEMPLATE)
        # --force-conflicts: what a test put back by other means is Helm's again.
        words = ["--install", "--wait", "--rollback-on-failure", "--force-conflicts", f"--timeout={self.timeout}s"]
        return _told([[helm(), "upgrade", _RELEASE, str(chart), "-n", self.there.namespace, *words]])


@dataclass
class Kubectl(Peer):
    """`kubectl apply`, then `kubectl rollout status` of one workload after the other."""

    _before: list[Obj] = field(default_factory=list)
    kept = "deployments,statefulsets,jobs"

    @property
    def name(self) -> str:
        return "kubectl"

    def deploy(self, objs: list[Obj]) -> Told:
        file = written(objs, self.folder / f"objects-{time.monotonic_ns()}.yaml")
        mine = ["kubectl", "-n", self.there.namespace]
        limit = f"--timeout={self.timeout}s"
        # A Job cannot be changed in place: kubectl's users delete one that is to be another.
        others = changed_jobs(self._before, objs)
        self._before = objs
        return _told(
            [
                *([[*mine, "delete", "job", *others, "--ignore-not-found"]] if others else []),
                ["kubectl", "apply", "-f", str(file)],
                [*mine, "rollout", "status", "statefulset/postgres", limit],
                [*mine, "wait", "--for=condition=complete", "job/migrate", limit],
                [*mine, "rollout", "status", "deployment/backend", limit],
                [*mine, "rollout", "status", "deployment/frontend", limit],
            ]
        )


PEERS: dict[str, type[Peer]] = {"helm": Helm, "kubectl": Kubectl}


def helm() -> str:
    """Return the path of the lab's Helm, built on demand."""
    return run([str(ROOT / "lab/lab"), "tool", "helm"]).strip()


def changed_jobs(before: list[Obj], after: list[Obj]) -> list[str]:
    """Return the names of the Jobs that are to be other ones."""
    return [obj["metadata"]["name"] for obj in of_kind(before, "Job") if obj not in after]


def _as_hook(obj: Obj) -> Obj:
    if obj["kind"] != "Job":
        return obj
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), **_HOOK}}}


def _told(commands: list[list[str]]) -> Told:
    """Run commands until one fails; return what the last one said."""
    begun = time.monotonic()
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            break
    return Told(done.returncode, reason(done.stderr) if done.returncode else "", time.monotonic() - begun)


def reason(text: str) -> str:
    """Return what a failed command said last, from its error on, in one line."""
    plain = " ".join(text.split()).replace(str(Path.home()), "~")
    return plain[max(plain.lower().rfind(" error: "), 0) :].strip()[-_MOST_TEXT:]
