"""A repository with hand-written workflows, its set-up in the cluster, and the page that says how to leave both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.docs.blocks import Command, Mark, commands_of, read
from tests.docs.output import problems
from tests.e2e.harness import EXAMPLE, MANIFESTS, ROOT, App, dagger, run

BEFORE, AFTER = (Path(__file__).parent / "handwritten" / state for state in ("before", "after"))
_WORKFLOW = ".github/workflows/deploy-staging.yml"
_GOES_ON = re.compile(r" \\\n\s*")
_SECONDS = 540


@dataclass
class Repository:
    """The example application in a repository of the old kind, with names that no other test has."""

    app: App
    done: set[int] = field(default_factory=set)
    """Lines of the page whose commands were run."""

    def begin(self) -> None:
        """Write the repository, commit it, and deploy it as it always was: images by tag, `kubectl apply`."""
        ignored = shutil.ignore_patterns("node_modules", ".venv", "__pycache__", "dist")
        shutil.copytree(EXAMPLE, self.app.source, ignore=ignored)
        self._take(BEFORE)
        run(["git", "init", "-q"], self.app.source)
        commit = self.app.commit("as it was")
        user, password = os.environ["LAB_REGISTRY_USER"], Path(os.environ["LAB_REGISTRY_PASSWORD_FILE"])
        login = ["with-registry-auth", "--address=ghcr.io", f"--username={user}", f"--secret=file://{password}"]
        for name in ("backend", "frontend"):
            image = f"ghcr.io/{self.app.repository(name)}:staging-{commit}"
            flags = [f"--source={self.app.source}", "image", f"--component={name}", *login]
            built = dagger("call", *flags, "publish", f"--address={image}")
            assert built.code == 0, built.err[-3000:]
        run(["kubectl", "create", "namespace", self.app.namespace])
        pull = [f"--docker-username={user}", f"--docker-password={password.read_text().strip()}"]
        secret = ["create", "secret", "docker-registry", "ghcr-login", "--docker-server=ghcr.io", *pull]
        run(["kubectl", "-n", self.app.namespace, *secret])
        self.steps("Apply the manifests", "Wait")

    def convert(self) -> None:
        """Put the manifests as the page wants them in the place of the old ones, and commit."""
        shutil.rmtree(self.app.source / "k8s")
        shutil.rmtree(self.app.source / ".github")
        shutil.copytree(MANIFESTS / "access/base", self.app.source / "k8s/access/base")
        self._take(AFTER)
        lab = [
            line for line in (ROOT / ".env").read_text().splitlines() if not line.startswith("PLANERA_CI_KUBECONFIG")
        ]
        own = ["PLANERA_CI_SOURCE=.", "PLANERA_CI_KUBECONFIG=file://staging.kubeconfig"]
        (self.app.source / ".env").write_text("\n".join([*lab, *own, ""]))
        self.app.commit("deploy by planera-ci")

    def edit(self, path: str, old: str, new: str) -> None:
        """Change one place of a file, and commit."""
        self.app.edit(f"app/{path}", old, new)
        self.app.commit(f"change {path}")

    def _take(self, tree: Path) -> None:
        shutil.copytree(tree, self.app.source, dirs_exist_ok=True)
        for file in (each for each in tree.rglob("*") if each.is_file()):
            own = self.app.source / file.relative_to(tree)
            own.write_text(self.own(own.read_text()))

    def own(self, text: str) -> str:
        """Return a text with this repository's names in the place of the page's."""
        for old, new in self.app.own_names().items():
            text = text.replace(old, new)
        return text.replace('owner = "planera"', f'owner = "{self.app.name}"')

    def steps(self, *names: str) -> None:
        """Run steps of the hand-written workflow as its runner does."""
        workflow = yaml.safe_load((self.app.source / _WORKFLOW).read_text())
        found = {step.get("name"): step for job in workflow["jobs"].values() for step in job["steps"]}
        commit = run(["git", "rev-parse", "HEAD"], self.app.source).strip()
        for name in names:
            self._sh(found[name]["run"], {"OWNER": self.app.name, "GITHUB_SHA": commit})

    def follow(self, text: str, *, refused: bool = False) -> str:
        """Run a command that the page shows, compare what it shows of the output, and return what was printed."""
        same = [command for command in commands() if _GOES_ON.sub(" ", command.text) == text]
        assert same, f"the page does not show {text!r}"
        command = next((each for each in same if each.line not in self.done), None)
        outcome = self._run(self.own(text), {})
        told = f"{text}: {outcome.stdout[-2000:]}{outcome.stderr[-4000:]}"
        assert bool(outcome.returncode) == refused, told
        if command:
            self.done.add(command.line)
            shown = tuple(map(self.own, command.shown))
            assert not (wrong := problems(shown, f"{outcome.stdout}\n{outcome.stderr}")), f"{wrong}\n{told}"
        return outcome.stdout

    def _sh(self, text: str, env: dict[str, str]) -> None:
        done = self._run(f"set -e\n{text}", env)
        assert done.returncode == 0, f"{text}: {done.stderr[-4000:]}"

    def _run(self, text: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", text],
            cwd=self.app.source,
            env={**os.environ, "DAGGER_MODULE": str(ROOT), **env},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )


def commands() -> list[Command]:
    """Return the commands that the page shows, but for those of which it says that others run them."""
    found = commands_of("docs/migrating.md", read("docs/migrating.md"))
    return [command for command in found if command.mark == Mark("run by", "tests/e2e/test_migrating.py")]
