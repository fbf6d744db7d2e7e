"""planera-ci as a CI calls it: a fresh clone, flags alone, no .env, the API server at its own address."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import spans
from tests.e2e.harness import ROOT, App, reachable, run

_SECONDS = 900


@dataclass(frozen=True)
class Called:
    """How one call ended, how long it took as a whole, and where its time went."""

    code: int
    seconds: float
    text: str
    work: float
    """Seconds in which a build, a push or the kubelet was at work."""
    parts: dict[str, float]
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def deploying(self) -> float:
        """Return the seconds from the first change of the cluster to the end of the proof."""
        steps = ("apply", "rollout", "verify")
        return sum(step["seconds"] for step in self.report.get("steps", ()) if step["name"] in steps)


@dataclass
class Ours:
    """The module with the source and the manifests of an application, as they are at each call."""

    app: App
    folder: Path
    """Where it is called from: no .env lies there."""

    def __post_init__(self) -> None:
        """Clone the module, as it is committed, and write a kubeconfig that leads to the node itself."""
        self.folder.mkdir(parents=True, exist_ok=True)
        run(["git", "clone", "-q", str(ROOT), str(self.folder / "planera-ci")])
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubeconfig.write_text(reachable(self.app.kubeconfig.read_text()))

    def deploy(self) -> Called:
        return self.call("deploy", "--env=staging", "--shown=json")

    def rollback(self) -> Called:
        return self.call("rollback", "--env=staging", "--shown=json")

    def empty(self) -> Called:
        """Call the function that does nothing: what every call of this module costs."""
        return self.call("version")

    def call(self, *words: str) -> Called:
        """Call the module and receive its spans."""
        with spans.received() as received:
            begun = time.monotonic()
            done = subprocess.run(
                ["dagger", "--progress=plain", "-m", "planera-ci", "call", *self._flags(), *words],
                cwd=self.folder,
                env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": received.endpoint},
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            seconds = time.monotonic() - begun
        seen = received.all()
        report = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        text = done.stderr.strip()[-2000:] if done.returncode else ""
        return Called(done.returncode, seconds, text, spans.work(seen), spans.parts(seen), report)

    def _flags(self) -> tuple[str, ...]:
        return (
            f"--source={self.app.source}",
            f"--manifests={self.app.manifests}",
            f"--owner={self.app.name}",
            f"--kubeconfig=file://{self.kubeconfig}",
            f"--user={os.environ['LAB_REGISTRY_USER']}",
            f"--token=file://{os.environ['LAB_REGISTRY_PASSWORD_FILE']}",
            f"--run=https://ci.example/{secrets.token_hex(4)}",  # another one for each job, as in a CI
        )
