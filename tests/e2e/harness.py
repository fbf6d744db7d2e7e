"""One application of its own for each test: a git repository, manifests, a namespace, a registry prefix."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from planera_ci.domain.kubeconfig import for_account
from planera_ci.domain.manifests import Obj, parse
from tests.e2e.calls import Outcome, called
from tests.e2e.objects import listed
from tests.e2e.paths import ROOT
from tests.e2e.thrift import USUAL, Thrift

EXAMPLE, MANIFESTS = ROOT / "examples/planera", ROOT / "k8s"
CALL_SECONDS = 540
_KINDS = (
    *("deployments", "statefulsets", "jobs", "cronjobs", "services", "configmaps", "secrets", "leases"),
    *("ingresses", "networkpolicies", "poddisruptionbudgets", "persistentvolumeclaims"),
)
GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]


@dataclass(frozen=True)
class App:
    """A copy of the example that no other test sees."""

    name: str
    folder: Path
    cli: bool = field(default=False, kw_only=True)
    """Whether each call is one of the CLI, as where whole calls are measured, or what the engine keeps of them."""

    @property
    def namespace(self) -> str:
        return f"planera-{self.name}"

    @property
    def source(self) -> Path:
        return self.folder / "app"

    @property
    def manifests(self) -> Path:
        return self.folder / "k8s"

    @property
    def host(self) -> str:
        return f"{self.name}.planera.app"

    @property
    def api(self) -> str:
        return f"{self.name}-api.planera.app"

    def own_names(self) -> dict[str, str]:
        """Return what stands in the manifests, and this application's own in its place."""
        return {
            "staging-api.planera.app": self.api,
            "staging.planera.app": self.host,
            "planera-staging": self.namespace,
            "=api.planera.app": f"={self.name}-prod-api.planera.app",
            "app.planera.app": f"{self.name}-prod.planera.app",
            "planera-production": self.production,
        }

    @property
    def production(self) -> str:
        """The namespace of its production."""
        return f"planera-{self.name}-prod"

    def repository(self, component: str) -> str:
        return f"{self.name}/planera-{component}"

    def call(self, *words: str, flags: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Outcome:
        """Call a verb with this application's flags, in a process of the tests."""
        if self.cli:
            return self.typed(*words, flags=flags, env=env)
        return called((*self.flags, *flags, *words), {**os.environ, **(env or {})})

    def typed(self, *words: str, flags: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Outcome:
        """Run `dagger call` as a user does, with this application's flags."""
        return dagger("call", *self.flags, *flags, *words, env=env)

    @property
    def flags(self) -> tuple[str, ...]:
        """What every call of this application says."""
        return (
            f"--source={self.source}",
            f"--manifests={self.manifests}",
            f"--owner={self.name}",
            f"--kubeconfig=file://{self.kubeconfig}",
        )

    @property
    def kubeconfig(self) -> Path:
        """The way into the cluster as the account that deploys to staging, which has no right but there."""
        return self.folder / "deployer.kubeconfig"

    def killed(self, mark: str, *words: str) -> None:
        """Call a verb and kill it as soon as its progress shows a mark."""
        seen = called((*self.flags, *words), os.environ, until=lambda line: mark in line)
        assert seen.code == -signal.SIGKILL, seen.err[-3000:]

    def typed_and_killed(self, mark: str, *words: str) -> None:
        """Run `dagger call` and kill it as soon as its progress shows a mark."""
        command = ["dagger", "--progress=plain", "-m", str(ROOT), "call", *self.flags, *words]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if mark in line:
                process.kill()
                break
        process.wait()
        assert process.returncode == -signal.SIGKILL, "".join(seen)[-3000:]

    def deploy(self, *words: str, flags: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Outcome:
        return self.call("deploy", "--env=staging", *words, flags=flags, env=env)

    def deployed(self, *words: str) -> dict[str, Any]:
        """Deploy, expect success, and return the report."""
        return self.deploy("--shown=json", *words).report()

    def commit(self, message: str) -> str:
        """Commit everything and return the commit."""
        run([*GIT, "add", "-A"], self.source)
        run([*GIT, "commit", "-q", "--allow-empty", "-m", message], self.source)
        return self.head()

    def head(self) -> str:
        """Return the commit that is checked out."""
        return run(["git", "rev-parse", "HEAD"], self.source).strip()

    def edit(self, path: str, old: str, new: str) -> None:
        """Change one place of a file; a place that is not there is a broken test."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1))

    def get(self, kinds: str, *names: str, selector: str = "") -> list[dict[str, Any]]:
        """Return live objects of this application's namespace."""
        return listed(self.namespace, kinds, names=names, selector=selector)

    def pods(self, component: str) -> dict[str, tuple[str, int]]:
        """Return each pod's uid with its image id and restarts."""
        found = {}
        for pod in self.get("pods", selector=f"app.kubernetes.io/name={component}"):
            statuses = pod["status"].get("containerStatuses")
            if statuses and not pod["metadata"].get("deletionTimestamp"):
                status = statuses[0]
                found[pod["metadata"]["uid"]] = (status["imageID"], status["restartCount"])
        return found

    def enters(self, password: str) -> bool:
        """Tell whether the database takes a password."""
        command = ["psql", "-h", "127.0.0.1", "-U", "planera", "-d", "planera", "-w", "-c", "SELECT 1"]
        inside = ["kubectl", "-n", self.namespace, "exec", "postgres-0", "--", "env", f"PGPASSWORD={password}"]
        done = subprocess.run([*inside, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0 or "password authentication failed" in done.stderr, done.stderr
        return done.returncode == 0

    def settle(self) -> None:
        """Wait until every pod that was told to end has ended: until then it may serve, and counts for a quota."""
        ending = [pod["metadata"]["name"] for pod in self.get("pods") if "deletionTimestamp" in pod["metadata"]]
        if ending:
            names = [f"pod/{name}" for name in ending]
            run(["kubectl", "-n", self.namespace, "wait", "--for=delete", "--timeout=120s", *names])

    def touched(self) -> list[str]:
        """Return what the namespace holds besides what every namespace has, and the account that deploys to it."""
        found = {f"{o['kind']}/{o['metadata']['name']}" for o in self.get(",".join(_KINDS))}
        return sorted(found - {"ConfigMap/kube-root-ca.crt"})

    def remove(self) -> None:
        subprocess.run(
            ["kubectl", "delete", "namespace", self.namespace, self.production, "--wait=false", "--ignore-not-found"],
            capture_output=True,
            check=True,
        )


def make_app(name: str, folder: Path, *, cli: bool = False, thrift: Thrift = USUAL) -> App:
    """Copy the example and the manifests; give them a namespace, hosts, and a small share of the node."""
    app = App(name, folder, cli=cli)
    copied(EXAMPLE, app.source)
    copied(MANIFESTS, app.manifests)
    prepare(app, "base", "staging", "production", "access/staging", "access/production", thrift=thrift)
    return app


def copied(origin: Path, folder: Path) -> None:
    """Copy a folder without what its tools make in it."""
    shutil.copytree(origin, folder, ignore=shutil.ignore_patterns("node_modules", ".venv", "__pycache__", "dist"))


def prepare(app: App, *parts: str, thrift: Thrift = USUAL) -> None:
    """Give an application its own names in these parts of its manifests, a commit, and the account that deploys it."""
    claim(app, *parts, thrift=thrift)
    run(["git", "init", "-q"], app.source)
    app.commit("first")
    admit(app.manifests / "access/staging", app.kubeconfig)


def claim(app: App, *parts: str, thrift: Thrift = USUAL) -> None:
    """Give an application its own names in these parts of its manifests, and a small share of the node."""
    for part in parts:
        for file in (app.manifests / part).iterdir():
            text = thrift(file.read_text())
            for old, new in app.own_names().items():
                text = text.replace(old, new)
            file.write_text(text)


def admit(access: Path, file: Path) -> None:
    """Make a namespace and its deployer as an administrator does, and write the deployer's kubeconfig."""
    run(["kubectl", "apply", "--server-side", "-k", str(access)])
    namespace = yaml.safe_load((access / "kustomization.yaml").read_text())["namespace"]
    token = run(["kubectl", "-n", namespace, "create", "token", "deployer", "--duration=2h"]).strip()
    admin = Path(os.environ["KUBECONFIG"]).read_text()
    file.write_text(for_account(admin, "deployer", namespace, token))
    file.chmod(0o600)


def deployer_of(namespace: str, folder: Path) -> Path:
    """Make a namespace and return the kubeconfig of its deployer."""
    shutil.copytree(MANIFESTS / "access", folder / "access")
    file = folder / "access/staging/kustomization.yaml"
    file.write_text(file.read_text().replace("planera-staging", namespace))
    admit(file.parent, folder / "deployer.kubeconfig")
    return folder / "deployer.kubeconfig"


def rendered(folder: Path) -> tuple[Obj, ...]:
    """Return the objects of a folder of manifests."""
    return parse(run(["kubectl", "kustomize", str(folder)]), folder.name)


def reachable(kubeconfig: str) -> str:
    """Return a kubeconfig with the API server's address that the engine can reach, as a real one has."""
    address = run(["kubectl", "get", "nodes", "-o", "jsonpath={.items[0].status.addresses[0].address}"])
    return re.sub(r"https://127\.0\.0\.1:\d+", f"https://{address}:6443", kubeconfig)


def step(report: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what a report tells of a step."""
    return next(each for each in report["steps"] if each["name"] == name)


def dagger(*words: str, env: dict[str, str] | None = None, cwd: Path = ROOT) -> Outcome:
    """Run the Dagger CLI with this repository's module."""
    begun = time.monotonic()
    done = subprocess.run(
        ["dagger", "--progress=plain", "-m", str(ROOT), *words],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=CALL_SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr, time.monotonic() - begun)


def run(command: list[str], cwd: Path = ROOT) -> str:
    """Run a program that must succeed and return what it printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
