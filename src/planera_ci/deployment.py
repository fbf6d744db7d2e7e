"""Deploy a state of the source to an environment, built for it or promoted. The order of the steps is the promise.

Nothing is published before the smoke test passed; nothing is applied before every object passed a
server dry run; nothing is called deployed before the running image ids equal the published digests.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from functools import partial

from planera_ci.cluster.apply import check
from planera_ci.cluster.client import Cluster
from planera_ci.cluster.history import Archive
from planera_ci.cluster.secrets import JWT_SECRET, application_secret, check_generated, registry_secret
from planera_ci.domain import manifests as m
from planera_ci.domain.history import History, secret_versions, values_to_keep
from planera_ci.domain.images import short
from planera_ci.domain.lease import Holder
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.proven import Proven
from planera_ci.domain.report import Report, listed
from planera_ci.errors import PlaneraError, RegistryError
from planera_ci.inspection import routes_of
from planera_ci.options import Options
from planera_ci.pipeline.clock import Clock
from planera_ci.pipeline.project import Project, Release
from planera_ci.pipeline.promotion import Promotion, give, noted
from planera_ci.pipeline.publish import Image
from planera_ci.pipeline.release import Making
from planera_ci.pipeline.render import load as load_manifests
from planera_ci.pipeline.source import Revision
from planera_ci.restoration import Target, restored
from planera_ci.tasks import both, together
from planera_ci.transition import Transition


@dataclass(frozen=True)
class Secrets:
    """Values that the pipeline writes into the cluster's Secrets; an empty one is not given."""

    jwt: str = ""
    token: str = ""
    new: str = ""
    """What a rotation puts in place of another value."""


@dataclass
class Deployment:
    """One run against one environment."""

    project: Project
    environment: str
    cluster: Cluster
    secrets: Secrets
    clock: Clock
    run: str
    """Where this run is seen, for those who wait for its lock."""
    options: Options

    @property
    def act(self) -> str:
        """Return what errors say was tried."""
        return f"deploy {self.project.name} to {self.environment}"

    async def deploy(self, revision: Revision, promotion: Promotion | None = None) -> Report:
        """Bring the environment to this state of the source, and prove it."""
        project, clock = self.project, self.clock
        version = promotion.version if promotion else revision.version
        objs = await load_manifests(project.manifests, self.environment)
        namespace = m.namespace_of(objs, self.environment)
        names = project.components(objs)
        routes_of(project, objs)  # what the smoke test could not run is told before anything is built
        await project.source.check(names)
        transition = self.transition(namespace, self.act, f"deploy {short(version)}")

        async def checked() -> None:
            await self._checked(transition, objs, version, certain=promotion is None)

        making = Making(project, clock, objs, self.environment, revision)
        async with together() as group:
            group.start_soon(checked)
            images, third_party = await (
                self._promoted(promotion, names, objs) if promotion else self._tried(making, transition.archive)
            )
        if not promotion:
            images = await making.published(images)
        release = project.release(objs, images.values(), third_party)

        async def target(history: History, archive: Archive) -> Target:
            return await self._target(release, version, revision, history, archive)

        report = await transition.run(target, version)
        with clock.step("tag") as lines:
            lines.append(await self._tagged(images, third_party, version, promotion))
        return replace(report, steps=tuple(clock.steps), seconds=clock.seconds())

    async def _promoted(
        self, promotion: Promotion, names: tuple[str, ...], objs: tuple[Obj, ...]
    ) -> tuple[dict[str, Image], dict[str, str]]:
        """Return the images that another environment has verified, third-party ones apart."""

        async def resolved() -> dict[str, str]:
            return await self.project.third_party(objs, await promotion.pins(names))

        with self.clock.step("promote") as lines:
            images, third_party = await both(partial(promotion.images, names, self.act), resolved)
            lines.append(f"{short(promotion.version)}, verified in {promotion.origin.name}; nothing is built")
            lines.extend(f"{image.reference}  built from {short(image.revision)}" for image in images.values())
        return images, third_party

    async def _tried(self, making: Making, archive: Archive) -> tuple[dict[str, Image], dict[str, str]]:
        """Return the images of this state of the source, new ones built and tried, third-party ones apart."""
        resolved = partial(self.project.third_party, making.objs)
        (found, third_party), proven = await both(partial(both, making.found, resolved), partial(self._proven, archive))
        return await making.tried(found, third_party, proven), third_party

    async def _proven(self, archive: Archive) -> Proven:
        """Return what the last good revision has proven; what cannot be read has proven nothing."""
        try:
            good = (await archive.load()).good
            return Proven.by(good, await archive.objects(good), self.project.name) if good else Proven()
        except PlaneraError:  # told by what cannot do without it
            return Proven()

    async def _checked(self, transition: Transition, objs: tuple[Obj, ...], version: str, *, certain: bool) -> None:
        """Have the server check the objects, then mend; what may still be refused leaves everything as it is."""
        await check(self.cluster, objs, transition.namespace)
        given = (JWT_SECRET,) if self.secrets.jwt else ()
        await check_generated(self.cluster, objs, transition.namespace, f"{self.project.name}-secrets", given)
        if certain:
            await transition.mend(version)

    async def _tagged(
        self, images: dict[str, Image], third_party: dict[str, str], version: str, promotion: Promotion | None
    ) -> str:
        """Say in the registry what runs and is verified now; the deployment has succeeded, whatever this comes to."""
        try:
            if promotion:
                return listed(await promotion.tag(images))
            stage = self.project.stage(self.environment)
            tag = stage.verified_tag(version)
            await noted(self.project, images, stage.release_tag(version), third_party)
            await give(self.project, images, tag)
        except RegistryError as error:
            return f"not done: {error}"
        return tag

    async def roll_back(self, revision: int) -> Report:
        """Put an earlier release back: as it was applied, its secrets too, verified like a deployment."""
        objs = await load_manifests(self.project.manifests, self.environment)
        act = f"roll back {self.project.name} in {self.environment}"
        doing = f"roll back to revision {revision}" if revision else "roll back"
        transition = self.transition(m.namespace_of(objs, self.environment), act, doing)

        # What is meant is what the history says now: a killed run may have to be undone before, which changes it.
        chosen = (await transition.archive.load()).to_restore(revision, act)

        async def target(history: History, archive: Archive) -> Target:
            return await restored(archive, history, history.find(chosen.revision, act))

        return await transition.run(target, "")

    def transition(self, namespace: str, act: str, doing: str) -> Transition:
        """Return a change of the environment under its lock."""
        return Transition(
            project=self.project,
            environment=self.environment,
            namespace=namespace,
            cluster=self.cluster,
            clock=self.clock,
            holder=Holder(f"planera-ci-{secrets.token_hex(4)}", self.run, doing),
            options=self.options,
            act=act,
            masks=tuple(filter(None, (self.secrets.jwt, self.secrets.token, self.secrets.new))),
        )

    async def _target(
        self, release: Release, version: str, revision: Revision, history: History, archive: Archive
    ) -> Target:
        """Return the release with its Secrets, and keep their values for a way back."""
        project, namespace = self.project, archive.namespace
        name, pull = f"{project.name}-secrets", f"{project.name}-registry"
        own: list[Obj] = []
        versions: dict[str, int] = {}
        needed = m.secret_keys(release.objs, name)
        if needed:
            given = {JWT_SECRET: self.secrets.jwt}
            stored = await archive.values()
            own.append(await application_secret(self.cluster, namespace, name, needed, given, stored, project.labels))
            values = own[0]["data"]
            versions = secret_versions(values, stored, history.next_revision)
            kept = values_to_keep(values, versions, stored, history.restorable)
            if kept != stored:
                await archive.keep_values(kept)
        login = None
        if pull in m.pull_secrets(release.objs) and self.secrets.token:
            host, user = project.registry.host, project.registry.user
            own.append(registry_secret(namespace, pull, host, user, self.secrets.token, project.labels))
            login = Key.of(own[-1])
        objs = m.with_secret_versions(release.objs, name, versions)
        return Target(
            version=version,
            images=release.pins,
            objs=objs,
            own=tuple(own),
            secrets=versions,
            inventory=tuple(Key.of(obj) for obj in (*objs, *own)),
            login=login,
            notes=("the tree is dirty: files differ from the commit",) if revision.dirty else (),
        )
