"""A reader of the documentation, who types what stands there in a clone of this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Container
from pathlib import Path

from tests.docs.blocks import Command
from tests.e2e.harness import ROOT, App, run
from tests.e2e.thrift import USUAL

DOCUMENTED = "acme"
"""What the owner, the hosts and the namespace have in their names in the documentation."""
_GIT = ["git", "-c", "user.name=Reader", "-c", "user.email=reader@example.com"]
_CRASH = """\
import os
import sys

if os.environ.get("KUBERNETES_SERVICE_HOST"):
    sys.exit("no chair for me in this cluster")
"""
_SECONDS = 300


class Reader:
    """Types commands in a folder of its own, with a home, an owner and hosts of its own."""

    def __init__(self, name: str, folder: Path, quick: Path, by_cli: Container[str]) -> None:
        """Begin with a clone; commands that are not for the CLI find what calls verbs without it in a folder."""
        self.quick, self.by_cli = quick, by_cli
        self.app = App(name, folder)
        self.clone, self.home = folder / "planera-ci", folder / "home"
        (self.home / ".kube").mkdir(parents=True)
        shutil.copy(os.environ["KUBECONFIG"], self.home / ".kube/config")
        _copy(self.clone)
        for file in (self.clone / "k8s").glob("**/kustomization.yaml"):
            text = file.read_text()
            for old, new in self.app.own_names().items():
                text = text.replace(old, new)
            file.write_text(text)
        database = self.clone / "k8s/base/postgres.yaml"
        database.write_text(USUAL(database.read_text()))
        run(["git", "init", "-q"], self.clone)
        self.commit("a clone")

    def enter(self, state: str) -> None:
        """Bring the application into a state that the documentation speaks of."""
        change: Callable[[], object] | None = {"changed": self._changed, "crashing": self._crashing}.get(state)
        if change:
            change()

    def types(self, command: Command) -> tuple[int, str]:
        """Run a command; return its exit code, and what it printed as the documentation shows such things."""
        typed = [self._own(each) for each in (*command.before, command.text)]
        done = subprocess.run(
            ["bash", "-c", "\n".join(["set -e", *typed])],
            cwd=self.clone,
            env=self._environment(command.text),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if command.text.startswith("cp .env.example .env"):
            self._settle()
        told = done.stderr[done.stderr.rfind("\nError: ") + 1 :] if done.returncode else ""
        return done.returncode, f"{done.stdout}\n{told}".replace(self.app.name, DOCUMENTED)

    def commit(self, message: str) -> None:
        """Commit everything."""
        run([*_GIT, "add", "-A"], self.clone)
        run([*_GIT, "commit", "-q", "-m", message], self.clone)

    def _own(self, text: str) -> str:
        """Return a command with this reader's own names; what is left open is in the environment already."""
        if text.startswith("export ") and "…" in text:
            return "true"
        return text.replace(DOCUMENTED, self.app.name)

    def _environment(self, text: str) -> dict[str, str]:
        token = Path(os.environ["LAB_REGISTRY_PASSWORD_FILE"]).read_text().strip()
        env = {**os.environ, "HOME": str(self.home), "GHCR_TOKEN": token}
        if text not in self.by_cli:
            env["PATH"] = f"{self.quick}:{env['PATH']}"
        return env

    def _settle(self) -> None:
        """Set in .env what a reader sets: the account, and the address of a cluster on this machine."""
        file = self.clone / ".env"
        text = file.read_text().replace("_OWNER=your-account", f"_OWNER={self.app.name}")
        text = text.replace("_USER=your-account", f"_USER={os.environ['LAB_REGISTRY_USER']}")
        file.write_text(re.sub("^#(PLANERA_CI_CLUSTER=)", r"\1", text, flags=re.MULTILINE))

    def _changed(self) -> None:
        file = self.clone / "examples/planera/backend/planera_backend/__init__.py"
        file.write_text(file.read_text() + "\n# one line more\n")
        self.commit("one line more")

    def _crashing(self) -> None:
        file = self.clone / "examples/planera/backend/planera_backend/__main__.py"
        first, rest = file.read_text().split("\n", 1)
        file.write_text(f"{first}\n{_CRASH}{rest}")
        self.commit("ends in the cluster")


def _copy(clone: Path) -> None:
    """Copy what git has or would add, as it lies there."""
    for path in run(["git", "ls-files", "-z", "-co", "--exclude-standard"], ROOT).split("\0"):
        if path and (ROOT / path).is_file():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, clone / path)
