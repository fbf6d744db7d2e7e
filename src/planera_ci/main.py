"""The module's verbs: each translates its arguments, calls the pipeline, and returns a report.

What needs a cluster is imported where it is used: loading the Kubernetes client takes longer than
many a verb that does without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, function, object_type
from dagger.mod._exceptions import FunctionError  # the SDK names it its escape hatch, but does not export it

from planera_ci.domain.images import checked_component, short
from planera_ci.domain.report import Report, listed
from planera_ci.environment import Environment, Format
from planera_ci.errors import ConfigError, PlaneraError, first_error
from planera_ci.pipeline.build import build
from planera_ci.pipeline.build import test as run_tests
from planera_ci.pipeline.clock import Clock
from planera_ci.pipeline.project import Project, plaintext
from planera_ci.pipeline.registry import Registry
from planera_ci.pipeline.release import tried_and_published
from planera_ci.pipeline.render import load
from planera_ci.pipeline.render import render as kustomize
from planera_ci.pipeline.source import Source

if TYPE_CHECKING:
    from planera_ci.cluster.client import Cluster

_EXAMPLE = "examples/planera"
_LONGEST = 3600
_LEFT_OUT = ["**/node_modules", "**/.venv", "**/__pycache__"]

Env = Annotated[Environment, Doc("Environment, a folder of the manifests: staging")]
Commit = Annotated[
    str,
    Doc("Commit that names this state of the source, 7 to 64 hexadecimal digits; default: git's HEAD of the source"),
]
Shown = Annotated[Format, Doc("Report for people (text) or for programs (json)")]
Within = Annotated[int, Doc("Seconds that each wave of workloads may take to roll out, 1 to 3600")]


@object_type
class PlaneraCi:
    """Build, test, publish, deploy and verify a web application on Kubernetes."""

    example: Annotated[
        dagger.Directory,
        DefaultPath("/examples/planera"),
        Ignore(_LEFT_OUT),
        Doc("Application used where --source is not given: the example of this module"),
    ]
    git: Annotated[
        dagger.GitRepository, DefaultPath("/"), Doc("Git repository of the example; it names the example's commit")
    ]
    manifests: Annotated[
        dagger.Directory,
        DefaultPath("/k8s"),
        Doc("Folder with a kustomization for each environment; default: this module's k8s/"),
    ]
    source: Annotated[
        dagger.Directory | None,
        Doc("Application: a folder with a Dockerfile for each component, best with its .git"),
    ] = None
    name: Annotated[str, Doc("Name of the application; a component's logical image is NAME-COMPONENT")] = "planera"
    owner: Annotated[str, Doc("Owner of the packages in the registry, as in ghcr.io/OWNER")] = "planera"
    registry: Annotated[str, Doc("Host of the registry that images are published to")] = "ghcr.io"
    user: Annotated[str, Doc("User of the registry; on GitHub any name does")] = "planera"
    token: Annotated[
        dagger.Secret | None, Doc("Token of the registry that may write packages, such as env://GHCR_TOKEN")
    ] = None
    kubeconfig: Annotated[
        dagger.Secret | None, Doc("Kubeconfig with a token or certificates inside, such as file://~/.kube/config")
    ] = None
    cluster: Annotated[
        dagger.Service | None,
        Doc("API server if only this machine reaches it, such as tcp://127.0.0.1:6443"),
    ] = None
    jwt: Annotated[
        dagger.Secret | None, Doc("Secret that the application signs its tokens with; generated once if never given")
    ] = None

    @function(cache="never")
    async def build(self, env: Env = Environment.STAGING) -> str:
        """Build every component of the application from its Dockerfile."""
        with _plainly():
            project, clock = self._project(), Clock()
            names = project.components(await load(self.manifests, env.value))
            with clock.step("build") as lines:
                await project.built(names)
                lines.append(f"{listed(names)} built")
            return self._report(env, "", clock).text()

    @function
    async def image(
        self, component: Annotated[str, Doc("Component to build: a folder of the source, such as backend")]
    ) -> dagger.Container:
        """Build one component and return its container.

        Run it (`up`), export it (`-o app.tar`) or look inside (`terminal`).
        """
        with _plainly():
            source = self._source()
            await source.check((checked_component(component),))
            return await build(source, component)

    @function(cache="never")
    async def test(self, env: Env = Environment.STAGING) -> str:
        """Run the application's own tests: the test stage of each Dockerfile."""
        with _plainly():
            project, clock = self._project(), Clock()
            names = project.components(await load(self.manifests, env.value))
            await project.source.check(names)
            with clock.step("test") as lines:
                done = await run_tests(project.source, names)
                lines.append(f"{listed(done)} passed" if done else "no component has a test stage")
            return self._report(env, "", clock).text()

    @function(cache="never")
    async def smoke(self, env: Env = Environment.STAGING, commit: Commit = "") -> str:
        """Run the built containers as the manifests say, and try them.

        Third-party services, such as the database, are started fresh; nothing is published.
        """
        with _plainly():
            project, clock = self._project(), Clock()
            objs = await load(self.manifests, env.value)
            with clock.step("build") as lines:
                containers = await project.built(project.components(objs))
                lines.append(f"{listed(containers)} built")
            with clock.step("smoke") as lines:
                smoke = project.smoke(objs, containers, commit)
                lines.extend(await smoke.run())
                await smoke.stop()
            return self._report(env, commit, clock).text()

    @function(cache="never")
    async def publish(self, env: Env, commit: Commit = "") -> str:
        """Smoke-test every component and publish it; return the digests."""
        with _plainly():
            project, clock = self._project(), Clock()
            await plaintext(self.token, "--token", "publish")
            objs = await load(self.manifests, env.value)
            revision = await project.source.revision(commit)
            images = await project.release_images(project.components(objs), env.value, revision)
            await tried_and_published(project, clock, objs, images, env.value, revision.version)
            return self._report(env, revision.version, clock).text()

    @function
    async def render(self, env: Env) -> dagger.File:
        """Render the manifests of an environment, images still unpinned."""
        with _plainly():
            text = await kustomize(self.manifests, env.value)
            return dagger.dag.directory().with_new_file(f"{env.value}.yaml", text).file(f"{env.value}.yaml")

    @function(cache="never")
    async def plan(self, env: Env, commit: Commit = "") -> str:
        """Show what a deployment would change, by a dry run; secrets are masked."""
        from planera_ci.inspection import planned  # noqa: PLC0415

        with _plainly():
            project = self._project()
            revision = await project.source.revision(commit)
            return await planned(await self._cluster("plan"), project, env.value, revision)

    @function(cache="never")
    async def deploy(self, env: Env, commit: Commit = "", within: Within = 300, shown: Shown = Format.TEXT) -> str:
        """Build, test, publish, apply and verify: the whole way to an environment.

        Nothing is published before the smoke test passed, nothing is applied before every object
        passed a server dry run, and nothing is called deployed before what runs is what was published.
        """
        from planera_ci.deployment import Deployment, Secrets  # noqa: PLC0415

        with _plainly():
            project, clock = self._project(), Clock()
            act = f"deploy {self.name} to {env.value}"
            token = await plaintext(self.token, "--token", act)
            jwt = await plaintext(self.jwt, "--jwt", act) if self.jwt else ""
            cluster = await self._cluster(act)
            revision = await project.source.revision(commit)
            run = Deployment(project, env.value, cluster, Secrets(jwt=jwt, token=token), clock)
            report = await run.deploy(revision, checked_seconds(within))
            return report.json() if shown is Format.JSON else report.text()

    @function(cache="never")
    async def verify(self, env: Env) -> str:
        """Prove that an environment runs its last release.

        Checked are the running image ids, the services' endpoints, and what the Ingress answers.
        """
        from planera_ci.inspection import verify_recorded  # noqa: PLC0415

        with _plainly():
            clock = Clock()
            with clock.step("verify") as lines:
                cluster = await self._cluster("verify")
                record, found = await verify_recorded(cluster, self._project(), env.value)
                lines.extend(found)
            return self._report(env, record.version, clock).text()

    @function(cache="never")
    async def status(self, env: Env) -> str:
        """Show what runs in an environment: release, workloads and images."""
        from planera_ci.inspection import status  # noqa: PLC0415

        with _plainly():
            return await status(await self._cluster("read the status"), self._project(), env.value)

    def _source(self) -> Source:
        # What git ignores is on one machine only: with it, a laptop and a CI would build different images.
        if self.source is None:
            return Source(self.example.filter(gitignore=True), self.git, _EXAMPLE)
        return Source(self.source.filter(exclude=_LEFT_OUT, gitignore=True), None)

    def _project(self) -> Project:
        registry = Registry(self.registry, self.user, self.token)
        return Project(self.name, self.owner, self._source(), self.manifests, registry)

    async def _cluster(self, act: str) -> Cluster:
        """Open the cluster, through the tunnel where one is given."""
        from planera_ci.cluster.client import connect  # noqa: PLC0415

        text = await plaintext(self.kubeconfig, "--kubeconfig", act)
        cluster = connect(text, await (await self.cluster.start()).endpoint() if self.cluster else "")
        await cluster.version()
        return cluster

    def _report(self, env: Environment, version: str, clock: Clock) -> Report:
        return Report(self.name, env.value, short(version), "", clock.seconds(), tuple(clock.steps))


def checked_seconds(within: int) -> float:
    """Return the seconds to wait; refuse what is out of range."""
    if not 1 <= within <= _LONGEST:
        raise ConfigError(f"read --within {within}", "it is out of range", f"give 1 to {_LONGEST} seconds")
    return float(within)


class _Told(FunctionError):
    """What the CLI shows of a failure: the name below, a colon, and our sentence, with no traceback."""


# The SDK prints an error as MODULE.NAME: MESSAGE and has no other way to choose the words.
_Told.__module__, _Told.__qualname__ = "builtins", "planera-ci"


@contextmanager
def _plainly() -> Iterator[None]:
    """Tell our errors as sentences, also those that a task group wrapped; leave all others as they are."""
    try:
        yield
    except (PlaneraError, BaseExceptionGroup) as error:
        cause = first_error(error)
        if isinstance(cause, PlaneraError):
            raise _Told(str(cause)) from None
        raise cause from None
