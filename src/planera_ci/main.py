"""The module's verbs: each translates its arguments, calls the pipeline, and returns a report.

What a verb needs is imported where it is used: Dagger starts this module three times for a call (what it has, its
object, the verb), and only the last of them does something.
"""

from __future__ import annotations

from typing import Annotated

import dagger
from dagger import DefaultPath, Doc, Ignore, function, object_type

from planera_ci import arguments as given
from planera_ci.checking import Checking
from planera_ci.choices import Format
from planera_ci.keeping import Keeping
from planera_ci.looking import Looking
from planera_ci.serving import Serving
from planera_ci.told import plainly


@object_type
class PlaneraCi(Looking, Keeping, Serving, Checking):
    """Build, test, publish, deploy and verify a web application on Kubernetes."""

    example: Annotated[
        dagger.Directory,
        DefaultPath("/examples/planera"),
        Ignore(given.LEFT_OUT),
        Doc("Application used where --source is not given: the example of this module"),
    ]
    git: Annotated[
        dagger.GitRepository, DefaultPath("/"), Doc("Git repository of the example; it names the example's commit")
    ]
    stock: Annotated[
        dagger.Directory, DefaultPath("/k8s"), Doc("Manifests used where none are named: those of this module")
    ]
    manifests: Annotated[
        dagger.Directory | None,
        Doc("Folder with a kustomization for each environment; default: k8s/ of the source, or else of this module"),
    ] = None
    source: Annotated[
        dagger.Directory | None,
        Doc("Application: a folder with a Dockerfile for each component, best with its .git"),
    ] = None
    name: Annotated[
        str, Doc("Name of the application; a component's logical image is NAME-COMPONENT; default: planera")
    ] = ""
    owner: Annotated[str, Doc("Owner of the packages in the registry, as in ghcr.io/OWNER; default: planera")] = ""
    registry: Annotated[str, Doc("Host of the registry that images are published to; default: ghcr.io")] = ""
    user: Annotated[str, Doc("User of the registry; on GitHub any name does; default: planera")] = ""
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
    run: Annotated[str, Doc("Where this run is seen, such as a CI job's URL; shown to who waits for its lock")] = ""
    jwt: Annotated[
        dagger.Secret | None, Doc("Secret that the application signs its tokens with; generated once if never given")
    ] = None
    at: Annotated[
        str,
        Doc("Commit whose source and manifests are taken from git, instead of what lies in the folder; all its digits"),
    ] = ""

    @function(cache="never")
    async def build(self, env: given.Tried = "") -> str:
        """Build every component of the application from its Dockerfile."""
        from planera_ci import verbs
        from planera_ci.pipeline.clock import Clock

        with plainly():
            return (await (await verbs.Trial.of(self, env, Clock())).build()).text()

    @function
    async def image(
        self, component: Annotated[str, Doc("Component to build: a folder of the source, such as backend")]
    ) -> dagger.Container:
        """Build one component and return its container.

        Run it (`up`), export it (`-o app.tar`) or look inside (`terminal`).
        """
        from planera_ci.domain.images import checked_component
        from planera_ci.pipeline.build import build
        from planera_ci.wiring import source_of

        with plainly():
            source = await source_of(self)
            await source.check((checked_component(component),))
            return await build(source, component)

    @function(cache="never")
    async def test(self, env: given.Tried = "") -> str:
        """Run the application's own tests: the test stage of each Dockerfile."""
        from planera_ci import verbs
        from planera_ci.pipeline.clock import Clock

        with plainly():
            return (await (await verbs.Trial.of(self, env, Clock())).test()).text()

    @function(cache="never")
    async def smoke(self, env: given.Tried = "", commit: given.Commit = "") -> str:
        """Run the built containers as the manifests say, and try them.

        Third-party services, such as the database, are started fresh; nothing is published.
        """
        from planera_ci import verbs
        from planera_ci.pipeline.clock import Clock

        with plainly():
            return (await (await verbs.Trial.of(self, env, Clock())).smoke(commit)).text()

    @function(cache="never")
    async def publish(self, env: given.Env, commit: given.Commit = "") -> str:
        """Smoke-test every component and publish it; return the digests."""
        from planera_ci.domain.proven import Proven
        from planera_ci.domain.stages import check_built_for
        from planera_ci.pipeline.clock import Clock
        from planera_ci.pipeline.project import plaintext
        from planera_ci.pipeline.release import Making
        from planera_ci.pipeline.render import load
        from planera_ci.wiring import project_of, report_of

        with plainly():
            project, clock = await project_of(self, env), Clock()
            await plaintext(self.token, "--token", "publish")
            check_built_for(project.stage(env))
            objs = await load(project.manifests, env)
            revision = await project.source.revision(commit)
            making = Making(project, clock, objs, env, revision)
            images = await making.tried(await making.found(), {}, Proven(), tests=False)
            await making.published(images)
            return report_of(project, env, revision.version, clock).text()

    @function
    async def render(self, env: given.Env) -> dagger.File:
        """Render the manifests of an environment, images still unpinned."""
        from planera_ci.pipeline.render import render as kustomize
        from planera_ci.wiring import project_of

        with plainly():
            text = await kustomize((await project_of(self, env)).manifests, env)
            return dagger.dag.directory().with_new_file(f"{env}.yaml", text).file(f"{env}.yaml")

    @function(cache="never")
    async def plan(self, env: given.Env, commit: given.Commit = "", release: given.Promoted = "") -> str:
        """Show what a deployment would change, by a dry run; secrets are masked."""
        from planera_ci.inspection import planned
        from planera_ci.wiring import cluster_of, project_of, promotion_of, revision_of

        with plainly():
            project = await project_of(self, env)
            revision = await revision_of(project, env, commit)
            promotion = await promotion_of(project, env, revision, release)
            return await planned(await cluster_of(self, "plan"), project, env, revision, promotion)

    @function(cache="never")
    async def deploy(
        self,
        env: given.Env,
        commit: given.Commit = "",
        confirm: given.Confirm = "",
        release: given.Promoted = "",
        within: given.Within = 300,
        wait: given.Wait = 300,
        rollback: given.Undo = True,  # noqa: FBT002 - a flag of the command line
        shown: given.Shown = Format.TEXT,
    ) -> str:
        """Build, test, publish, apply and verify: the whole way to an environment.

        Production gets, digest by digest, a release that staging has verified. Nothing is published
        before the smoke test passed, nothing is applied before every object passed a server dry run,
        and nothing is called deployed before what runs is what was published.
        A failure ends at once, with its reason; evidence is kept, and the last good release put back.
        """
        from planera_ci import verbs
        from planera_ci.pipeline.clock import Clock

        with plainly():
            asked = verbs.Asked(commit, confirm, release, within=within, wait=wait, rollback=rollback)
            return given.shown_as(await verbs.deploy(self, env, asked, Clock()), shown)

    @function(cache="never")
    async def rollback(
        self,
        env: given.Env,
        to: given.To = 0,
        within: given.Within = 300,
        wait: given.Wait = 300,
        shown: given.Shown = Format.TEXT,
    ) -> str:
        """Put an earlier release back as a whole, and verify it.

        Workloads, configuration and the application's secrets become what they were; Jobs, such as a
        database's migration, are not run again.
        """
        from planera_ci import verbs
        from planera_ci.pipeline.clock import Clock

        with plainly():
            asked = verbs.Asked(to=to, within=within, wait=wait)
            return given.shown_as(await verbs.roll_back(self, env, asked, Clock()), shown)

    @function(cache="never")
    async def rotate(
        self,
        env: given.Env,
        secret: given.Key,
        value: given.NewValue = None,
        drop: given.Drop = False,  # noqa: FBT002 - a flag of the command line
        confirm: given.ConfirmRotation = "",
        within: given.Within = 300,
        wait: given.Wait = 300,
        shown: given.Shown = Format.TEXT,
    ) -> str:
        """Replace a value of the application's Secret while it serves.

        Every pod accepts the new value before any uses it, and the value before from then on, until the
        next rotation or --drop. A failure leaves the value before in force; no rollback brings it back.
        """
        from planera_ci.domain.stages import check_rotate
        from planera_ci.pipeline.clock import Clock
        from planera_ci.pipeline.project import plaintext
        from planera_ci.rotation import Rotation, Wish
        from planera_ci.wiring import deployment_of, project_of

        with plainly():
            project = await project_of(self, env)
            act = f"rotate {secret} of {project.name} in {env}"
            check_rotate(act, project.stage(env), confirm, f"rotate --env {env} --secret {secret}")
            new = await plaintext(value, "--value", act) if value else ""
            run = await deployment_of(self, project, env, act, within, wait, clock=Clock())
            return given.shown_as(await Rotation(run, Wish(secret, new, drop)).rotate(), shown)

    @function(cache="never")
    async def access(self, env: given.Env, hours: given.Hours = 24) -> str:
        """Make an environment's namespace and deployer; print its kubeconfig.

        For an administrator, once, and again for each new token: its kubeconfig is what --kubeconfig gives here.
        What the account may do stands in the manifests, in access/ENV.
        """
        from planera_ci.granting import kubeconfig
        from planera_ci.pipeline.project import plaintext
        from planera_ci.wiring import cluster_of, project_of

        with plainly():
            act, seconds = f"give access to {env}", given.checked_hours(hours)
            project = await project_of(self, env)
            admin = await plaintext(self.kubeconfig, "--kubeconfig", act)
            return await kubeconfig(await cluster_of(self, act), admin, project, env, seconds)
