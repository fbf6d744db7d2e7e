"""The usual shell pipeline, as a peer: the same source and the same objects, in a namespace of its own."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.phases import Phases, parsed
from tests.e2e.harness import ROOT, App, deployer_of, run
from tests.faults.peers import reason
from tests.faults.release import Home, home

PAUSE, TIMEOUT = 10, 300
"""Seconds that such a script sleeps before it looks, and that it gives each workload."""
SCRIPT = Path(__file__).parent / "shell/pipeline.sh"
# The places in the manifests that such a repository has, and the script fills by sed.
_OVERLAY = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../staging]
images:
  - {name: planera-backend, newName: __BACKEND_IMAGE__}
  - {name: planera-frontend, newName: __FRONTEND_IMAGE__}
patches:
  - target: {kind: Deployment, name: backend|frontend}
    patch: &noted |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: any}
      spec: {template: {metadata: {annotations: {planera-ci/revision: __REVISION__}}}}
  - target: {kind: Job, name: migrate}
    patch: *noted
"""


@dataclass(frozen=True)
class Ran:
    """How a run of the script ended, how long it took, and what it said last if it failed."""

    code: int
    seconds: float
    phases: Phases
    text: str

    @property
    def awake(self) -> float:
        """Return the seconds without those in which it slept."""
        return self.seconds - self.phases.asleep


@dataclass
class Shell:
    """The script with the source and the manifests of an application, as they are at each call."""

    app: App
    folder: Path
    pause: int = PAUSE
    timeout: int = TIMEOUT
    there: Home = field(init=False)
    _env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.there = home(self.app, "shell")

    @property
    def registry(self) -> str:
        """The registry and the owner of the images."""
        return f"ghcr.io/{self.app.name}-shell"

    def prepare(self) -> None:
        """Start the builder, and make what such a repository has made once: namespace, Secrets, logins."""
        run([str(ROOT / "lab/lab"), "builder", "start"])
        names = run([str(ROOT / "lab/lab"), "run", "--", "sh", "-c", 'echo "$BUILDKIT_HOST"; echo "$PATH"'])
        host, path = names.splitlines()
        deployer_of(self.there.namespace, self.folder)
        self._log_in()
        self._keep_secrets()
        self._env = {
            **os.environ,
            "PATH": path,
            "BUILDKIT_HOST": host,
            "DOCKER_CONFIG": str(self.folder),
            "SOURCE": str(self.app.source),
            "REGISTRY": self.registry,
            "NAMESPACE": self.there.namespace,
            "SITE": self.there.host,
            "API": self.there.api,
            "PAUSE": str(self.pause),
            "ROLLOUT_TIMEOUT": f"{self.timeout}s",
            "CURL_OPTIONS": f"--cacert {os.environ['LAB_CA']} --connect-to ::{os.environ['LAB_HTTPS']}",
        }

    def deploy(self) -> Ran:
        """Deploy the source and the manifests as they are now."""
        return self._call("deploy", {"SHA": revision(self.app.source), "K8S": str(self._manifests())})

    def rollback(self) -> Ran:
        """Take the last rollout of both Deployments back, as such people do."""
        return self._call("rollback", {})

    def remove(self) -> None:
        run(["kubectl", "delete", "namespace", self.there.namespace, "--wait=false", "--ignore-not-found"])

    def _call(self, verb: str, more: dict[str, str]) -> Ran:
        phases = self.folder / f"phases-{time.monotonic_ns()}"
        phases.touch()
        begun = time.monotonic()
        done = subprocess.run(
            [SCRIPT, verb],
            env={**self._env, **more, "PHASES": str(phases)},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - begun
        text = reason(done.stderr) if done.returncode else ""
        return Ran(done.returncode, seconds, parsed(phases.read_text()), text)

    def _manifests(self) -> Path:
        """Return the application's manifests with this peer's names, and places for sed to fill."""
        folder = self.folder / f"k8s-{time.monotonic_ns()}"
        shutil.copytree(self.app.manifests, folder)
        names = {
            self.app.namespace: self.there.namespace,
            self.app.api: self.there.api,
            self.app.host: self.there.host,
        }
        for file in (folder / "staging").iterdir():
            text = file.read_text()
            for old, new in names.items():
                text = text.replace(old, new)
            file.write_text(text)
        (folder / "shell").mkdir()
        (folder / "shell/kustomization.yaml").write_text(_OVERLAY)
        return folder / "shell"

    def _log_in(self) -> None:
        """Write the login that buildctl pushes with and the kubelet pulls with."""
        password = Path(os.environ["LAB_REGISTRY_PASSWORD_FILE"]).read_text().strip()
        login = base64.b64encode(f"{os.environ['LAB_REGISTRY_USER']}:{password}".encode()).decode()
        file = self.folder / "config.json"
        file.touch(0o600)
        file.write_text(json.dumps({"auths": {"ghcr.io": {"auth": login}}}))
        kind = "--type=kubernetes.io/dockerconfigjson"
        self._create("planera-registry", kind, f"--from-file=.dockerconfigjson={file}")

    def _keep_secrets(self) -> None:
        keys = ("database-password", "jwt-secret")
        self._create("planera-secrets", *(f"--from-literal={key}={secrets.token_hex(16)}" for key in keys))

    def _create(self, name: str, *words: str) -> None:
        run(["kubectl", "-n", self.there.namespace, "create", "secret", "generic", name, *words])


def revision(source: Path) -> str:
    """Return the commit of a checkout, or a name of its content if that is not committed."""
    git = ["git", "-C", str(source)]
    if not run([*git, "status", "--porcelain"]):
        return run([*git, "rev-parse", "--short=12", "HEAD"]).strip()
    index = Path(run([*git, "rev-parse", "--absolute-git-dir"]).strip()) / "index-of-all"
    there = ["env", f"GIT_INDEX_FILE={index}", *git]
    run([*there, "add", "-A"])
    tree = run([*there, "write-tree"]).strip()
    index.unlink()
    return tree[:12]
