"""One application of its own for each test: a git repository, manifests, a namespace, a registry prefix."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXAMPLE, MANIFESTS = ROOT / "examples/planera", ROOT / "k8s"
CALL_SECONDS = 540
_GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]


@dataclass(frozen=True)
class Outcome:
    """What one `dagger call` printed, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def message(self) -> str:
        """The error as a person sees it."""
        return self.err


@dataclass(frozen=True)
class App:
    """A copy of the example that no other test sees."""

    name: str
    folder: Path

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

    def repository(self, component: str) -> str:
        return f"{self.name}/planera-{component}"

    def call(self, *words: str, flags: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Outcome:
        """Run `dagger call` as a user does, with this application's flags."""
        own = [f"--source={self.source}", f"--manifests={self.manifests}", f"--owner={self.name}"]
        return dagger("call", *own, *flags, *words, env=env)

    def deploy(self, *words: str, flags: tuple[str, ...] = ()) -> Outcome:
        return self.call("deploy", "--env=staging", *words, flags=flags)

    def deployed(self, *words: str) -> dict[str, Any]:
        """Deploy, expect success, and return the report."""
        outcome = self.deploy("--shown=json", *words)
        assert outcome.code == 0, outcome.err[-4000:]
        report: dict[str, Any] = json.loads(outcome.out)
        return report

    def commit(self, message: str) -> str:
        """Commit everything and return the commit."""
        run([*_GIT, "add", "-A"], self.source)
        run([*_GIT, "commit", "-q", "--allow-empty", "-m", message], self.source)
        return run(["git", "rev-parse", "HEAD"], self.source).strip()

    def edit(self, path: str, old: str, new: str) -> None:
        """Change one place of a file; a place that is not there is a broken test."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1))

    def get(self, kind: str, *words: str) -> list[dict[str, Any]]:
        """Return live objects of this application's namespace."""
        out = run(["kubectl", "-n", self.namespace, "get", kind, "-o", "json", *words])
        answer = json.loads(out)
        items: list[dict[str, Any]] = answer.get("items", [answer])
        return items

    def pods(self, component: str) -> dict[str, tuple[str, int]]:
        """Return each pod's uid with its image id and restarts."""
        found = {}
        for pod in self.get("pods", "-l", f"app.kubernetes.io/name={component}"):
            statuses = pod["status"].get("containerStatuses")
            if statuses and not pod["metadata"].get("deletionTimestamp"):
                status = statuses[0]
                found[pod["metadata"]["uid"]] = (status["imageID"], status["restartCount"])
        return found

    def exists(self) -> bool:
        """Tell whether the namespace is there."""
        done = subprocess.run(["kubectl", "get", "namespace", self.namespace], capture_output=True, check=False)
        return done.returncode == 0

    def remove(self) -> None:
        subprocess.run(
            ["kubectl", "delete", "namespace", self.namespace, "--wait=false", "--ignore-not-found"],
            capture_output=True,
            check=True,
        )


def make_app(name: str, folder: Path) -> App:
    """Copy the example and the manifests, and give them a namespace and hosts of their own."""
    app = App(name, folder)
    ignore = shutil.ignore_patterns("node_modules", ".venv", "__pycache__", "dist")
    shutil.copytree(EXAMPLE, app.source, ignore=ignore)
    shutil.copytree(MANIFESTS, app.manifests)
    for file in (app.manifests / "staging").iterdir():
        text = file.read_text()
        for old, new in {
            "staging-api.planera.app": app.api,
            "staging.planera.app": app.host,
            "planera-staging": app.namespace,
        }.items():
            text = text.replace(old, new)
        file.write_text(text)
    run(["git", "init", "-q"], app.source)
    app.commit("first")
    return app


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
