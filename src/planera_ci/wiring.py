"""From the module's arguments to what the verbs work with: source, project, cluster, a run that may change things.

What needs a cluster is imported where it is used: loading the Kubernetes client takes longer than
many a verb that does without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagger

from planera_ci import arguments as given
from planera_ci.arguments import LEFT_OUT, Settings
from planera_ci.domain.application import FILE, Application
from planera_ci.domain.images import checked_commit, is_tag, short
from planera_ci.domain.report import Report
from planera_ci.errors import ConfigError
from planera_ci.options import Options
from planera_ci.pipeline.clock import Clock
from planera_ci.pipeline.project import Project, plaintext
from planera_ci.pipeline.promotion import Promotion
from planera_ci.pipeline.registry import Registry
from planera_ci.pipeline.source import Revision, Source

if TYPE_CHECKING:
    from planera_ci.cluster.client import Cluster
    from planera_ci.data import Data
    from planera_ci.deployment import Deployment

_EXAMPLE, _STOCK = "examples/planera", "k8s"
_PATIENCE = 60.0
"""Seconds for which an API server that has answered once may be away: it is being restarted."""


async def source_of(settings: Settings) -> Source:
    """Return the application's source, as it lies there or as a commit has it."""
    # What git ignores is on one machine only: with it, a laptop and a CI would build different images.
    if settings.source is None:
        source = Source(settings.example.filter(gitignore=True), settings.git, _EXAMPLE)
    else:
        source = Source(settings.source.filter(exclude=LEFT_OUT, gitignore=True), None)
    return await source.at(settings.at, LEFT_OUT) if settings.at else source


async def repository_of(settings: Settings, repo: dagger.Directory) -> dagger.Directory:
    """Return this repository as it lies there, or as one of its commits has it."""
    return (await Source(repo, settings.git).at(settings.at, LEFT_OUT)).directory if settings.at else repo


async def project_of(settings: Settings, environment: str = "") -> Project:
    """Return the application as planera.toml and the arguments describe it; refuse an environment it has not."""
    source = await source_of(settings)
    said = await _described(source)
    registry = Registry(settings.registry or said.registry, settings.user or said.user, settings.token)
    name, owner = settings.name or said.name, settings.owner or said.owner
    manifests, folder = await _manifests(settings, source, said.manifests)
    project = Project(name, owner, source, manifests, registry, said.stages, folder)
    if environment:
        project.stage(environment)
    return project


async def _described(source: Source) -> Application:
    """Return what the source says about itself."""
    text = await source.setting(FILE)
    if text is None:
        return Application()
    from planera_ci.domain.settings import parse  # noqa: PLC0415

    return parse(text)


async def _manifests(settings: Settings, source: Source, folder: str) -> tuple[dagger.Directory, str]:
    """Return the manifests that are given, or stand in the source, or else this module's own; and their folder."""
    if settings.manifests:
        return settings.manifests, ""
    if await source.directory.exists(folder):
        return source.directory.directory(folder), f"{source.subfolder}/{folder}".removeprefix("/")
    if folder != Application.manifests:
        wrong = f"manifests: the source has no folder {folder}"
        raise ConfigError(f"read {FILE}", wrong, "correct it, or add the folder")
    if settings.source:
        return settings.stock, ""
    if source.fixed and source.git:
        return source.git.commit(source.fixed).tree(discard_git_dir=True).directory(_STOCK), _STOCK
    return settings.stock, _STOCK


async def revision_of(project: Project, environment: str, commit: str) -> Revision:
    """Return the state of the source; an environment that a person must mean gets none that git does not know."""
    return await project.source.revision(commit, clean=project.stage(environment).guarded)


async def promotion_of(project: Project, environment: str, revision: Revision, release: str) -> Promotion | None:
    """Return the verified release that comes to an environment, or nothing where one is built for it."""
    stage = project.stage(environment)
    if not stage.promotes:
        if release:
            raise ConfigError(
                f"read --release {release}", f"{environment} is built for, nothing is promoted to it", "leave it out"
            )
        return None
    chosen = checked_commit(release, "--release") if release else revision.version
    version = revision.version if revision.version.startswith(chosen) else chosen
    names = tuple(filter(is_tag, await project.source.tags(version)))
    return Promotion(project, project.stage(stage.promotes), stage, version, names)


async def cluster_of(settings: Settings, act: str) -> Cluster:
    """Open the cluster, through the tunnel where one is given."""
    from planera_ci.cluster.client import connect  # noqa: PLC0415

    text = await plaintext(settings.kubeconfig, "--kubeconfig", act)
    tunnel = settings.cluster
    cluster = connect(text, await (await tunnel.start()).endpoint() if tunnel else "")
    await cluster.version()
    cluster.patience = _PATIENCE
    return cluster


async def deployment_of(
    settings: Settings,
    project: Project,
    environment: str,
    act: str,
    within: int,
    wait: int,
    *,
    clock: Clock,
    undo: bool = True,
    token: str = "",
) -> Deployment:
    """Return a run that may change the environment."""
    from planera_ci.deployment import Deployment, Secrets  # noqa: PLC0415

    seconds = given.checked_seconds("within", within), given.checked_seconds("wait", wait, least=0)
    options = Options(*seconds, undo=undo, careful=project.stage(environment).guarded)
    jwt = await plaintext(settings.jwt, "--jwt", act) if settings.jwt else ""
    cluster, values = await cluster_of(settings, act), Secrets(jwt=jwt, token=token)
    return Deployment(project, environment, cluster, values, clock, settings.run, options)


async def data_of(settings: Settings, project: Project, environment: str, act: str, wait: int, clock: Clock) -> Data:
    """Return a run that takes the environment's data out, or puts them back."""
    from planera_ci.data import Data  # noqa: PLC0415

    seconds = given.checked_seconds("wait", wait, least=0)
    cluster = await cluster_of(settings, act)
    return Data(project, environment, cluster, clock, settings.run, seconds, act)


def report_of(project: Project, environment: str, version: str, clock: Clock) -> Report:
    """Return what a verb did that deploys nothing."""
    return Report(project.name, environment, short(version), "", clock.seconds(), tuple(clock.steps))
