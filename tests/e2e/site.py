"""A repository on GitHub whose workflows deploy: this one, or an application's own with the templates in it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import EXAMPLE, MANIFESTS, ROOT, App, admit, claim, copied, reachable, run
from tests.e2e.planted import found_in
from tests.workflows.github import Event, Repository, dispatched, proposed, pushed, scheduled
from tests.workflows.runner import Ran, ran
from tests.workflows.shell import git
from tests.workflows.workflow import TEMPLATES, Workflow

MODULE = re.compile(r"github\.com/OWNER/planera-ci@v[\d.]+")
_SETTINGS = """name = "planera"
owner = "{owner}"

[environments.staging]

[environments.production]
promotes = "staging"
confirm = "deploy-to-production"
"""


@dataclass(frozen=True)
class Site(App):
    """A clone of such a repository; what is committed to its main is what GitHub has."""

    inner: str = "."
    """Where the application stands in it."""
    environments: tuple[str, ...] = ("staging", "production")
    """Those that it may deploy to; none where only its code is looked at."""

    @property
    def source(self) -> Path:
        return self.folder / self.inner

    @property
    def kubeconfig(self) -> Path:
        return self.folder.parent / "staging.kubeconfig"

    @property
    def backend(self) -> str:
        """The program that the backend starts with, from the root of the repository."""
        return str(Path(self.inner) / "backend/planera_backend/__main__.py")

    def github(self) -> Repository:
        """Return it with the secrets of its environments, as docs/workflows.md has them set."""
        token = Path(os.environ["LAB_REGISTRY_PASSWORD_FILE"]).read_text().strip()
        places = {}
        for environment in self.environments:
            text = reachable((self.folder.parent / f"{environment}.kubeconfig").read_text())
            places[environment] = {"KUBECONFIG": text, "GHCR_TOKEN": ""}
            places[f"{environment}-backup"] = {"KUBECONFIG": text}
        return Repository(f"{self.name}/{self.folder.name}", self.folder, token, places)

    def secrets(self) -> dict[str, str]:
        """Return what must not be seen anywhere, by names."""
        repository = self.github()
        held = {name: place["KUBECONFIG"] for name, place in repository.environments.items()}
        tokens = {name: found[1] for name, text in held.items() if (found := re.search(r"token: (\S{20,})", text))}
        assert tokens.keys() == held.keys()
        return {**tokens, "registry": repository.token}

    def push(self) -> Event:
        return pushed(self.github())

    def dispatch(self, **inputs: str) -> Event:
        return dispatched(self.github(), **inputs)

    def hour(self) -> Event:
        return scheduled(self.github())

    def proposal(self, branch: str) -> Event:
        return proposed(self.github(), branch)

    def runs(self, file: str, event: Event, job: str = "") -> Ran:
        """Run a workflow of the commit that the event is of; its one job, if none is named."""
        workflow = Workflow.read(self._at(event.sha, f".github/workflows/{file}"))
        name = job or next(iter(workflow.jobs))
        assert job or len(workflow.jobs) == 1, f"{file} has several jobs"
        return ran(workflow, name, self.github(), event, self._fresh("run"), instead=self._instead(workflow))

    def _at(self, sha: str, path: str) -> Path:
        """Return a file as a commit has it."""
        copy = self._fresh("workflow") / Path(path).name
        copy.parent.mkdir()
        copy.write_text(git(self.folder, "show", f"{sha}:{path}") + "\n")
        return copy

    def _fresh(self, what: str) -> Path:
        above = self.folder.parent
        return above / f"{what}-{len(list(above.iterdir()))}"

    def _instead(self, workflow: Workflow) -> Mapping[str, str]:
        """Return this module's folder for the reference by which a template names it."""
        return {name: str(ROOT) for name in MODULE.findall(workflow.text)}


def listed_in(seen: Ran) -> list[str]:
    """Return the files of a run's artifacts."""
    return [str(file.relative_to(seen.artifacts)) for file in sorted(seen.artifacts.rglob("*")) if file.is_file()]


def leaked(site: Site, *seen: Ran) -> set[str]:
    """Return the names of the secrets that runs show to who may read them."""
    return {name for each in seen for name in found_in(each.everything(), site.secrets())}


def own_site(name: str, folder: Path, environments: tuple[str, ...] = Site.environments) -> Site:
    """Return a copy of this repository, as the working tree has it."""
    site = Site(name, folder / "planera-ci", "examples/planera", environments)
    for path in run(["git", "ls-files", "--cached", "--others", "--exclude-standard"]).splitlines():
        file = ROOT / path
        if file.is_file():
            (site.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, site.folder / path)
    return _begun(site)


def app_site(name: str, folder: Path) -> Site:
    """Return an application's own repository, with the templates as its workflows and settings of its own."""
    site = Site(name, folder / "planera")
    copied(EXAMPLE, site.folder)
    copied(MANIFESTS, site.manifests)
    copied(TEMPLATES, site.folder / ".github/workflows")
    (site.folder / "planera.toml").write_text(_SETTINGS.format(owner=name))
    return _begun(site)


def _begun(site: Site) -> Site:
    claim(site, "base", "staging", "production", "access/staging", "access/production")
    git(site.folder, "init", "-q", "-b", "main")
    site.commit("first")
    for environment in site.environments:
        admit(site.manifests / f"access/{environment}", site.folder.parent / f"{environment}.kubeconfig")
    return site
