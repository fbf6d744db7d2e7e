"""Deploy a state of the source to an environment. The order of the steps is the promise.

Nothing is published before the smoke test passed; nothing is applied before every object passed a
server dry run; nothing is called deployed before the running image ids equal the published digests.
"""

from __future__ import annotations

from dataclasses import dataclass

from planera_ci.cluster.apply import check, plan, ready_namespace, remove, write
from planera_ci.cluster.client import Cluster
from planera_ci.cluster.records import load, save
from planera_ci.cluster.rollout import KINDS, TRACKED, rolled_out
from planera_ci.cluster.secrets import JWT_SECRET, application_secret, registry_secret
from planera_ci.cluster.watch import Live, watching
from planera_ci.domain import manifests as m
from planera_ci.domain.images import short
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.plan import Action, Change, Plan
from planera_ci.domain.readiness import State
from planera_ci.domain.record import record_of
from planera_ci.domain.report import Report, listed
from planera_ci.domain.routes import pages
from planera_ci.errors import PlaneraError
from planera_ci.inspection import routes_of, verify
from planera_ci.pipeline.build import test
from planera_ci.pipeline.clock import Clock, say
from planera_ci.pipeline.project import Project, Release
from planera_ci.pipeline.publish import Image
from planera_ci.pipeline.release import tried_and_published
from planera_ci.pipeline.render import load as load_manifests
from planera_ci.pipeline.source import Revision
from planera_ci.tasks import together

_PAST = {Action.CREATE: "created", Action.UPDATE: "updated", Action.REPLACE: "replaced"}


@dataclass(frozen=True)
class Secrets:
    """Values that the pipeline writes into the cluster's Secrets; an empty one is not given."""

    jwt: str = ""
    token: str = ""


@dataclass
class Deployment:
    """One run against one environment."""

    project: Project
    environment: str
    cluster: Cluster
    secrets: Secrets
    clock: Clock

    @property
    def act(self) -> str:
        """Return what errors say was tried."""
        return f"deploy {self.project.name} to {self.environment}"

    async def deploy(self, revision: Revision, within: float) -> Report:
        """Bring the environment to this state of the source, and prove it."""
        project, clock = self.project, self.clock
        objs = await load_manifests(project.manifests, self.environment)
        namespace = m.namespace_of(objs, self.environment)
        names = project.components(objs)
        await project.source.check(names)
        images: dict[str, Image] = {}
        third_party: dict[str, str] = {}

        async def built() -> None:
            with clock.step("build") as lines:
                images.update(await project.release_images(names, self.environment, revision))
                lines.append(listed(_how(image) for image in images.values()))

        async def tested() -> None:
            with clock.step("test") as lines:
                done = await test(project.source, names)
                lines.append(f"{listed(done)} passed" if done else "no component has a test stage")

        async def checked() -> None:
            await check(self.cluster, objs, namespace)

        async def resolved() -> None:
            third_party.update(await project.third_party(objs))

        async with together() as group:
            for work in (checked, resolved, built, tested):
                group.start_soon(work)

        images = await tried_and_published(project, clock, objs, images, self.environment, revision.version)
        release = project.release(objs, images.values(), third_party)
        return await self._apply(objs, release, namespace, revision, within)

    async def _apply(
        self, objs: tuple[Obj, ...], release: Release, namespace: str, revision: Revision, within: float
    ) -> Report:
        clock, project = self.clock, self.project
        made = await self._make_namespace(objs, namespace)
        try:
            previous = await load(self.cluster, namespace, project.name)
            everything = (*release.objs, *await own_objects(self.cluster, project, objs, namespace, self.secrets))
            planned = await plan(self.cluster, everything, previous.keys() if previous else ())
        except PlaneraError:
            if made:
                await self.cluster.delete(Key("v1", "Namespace", "", namespace), uid=made)
            raise
        with clock.step("apply") as lines:
            states = await self._waves(everything, planned, namespace, within)
            await remove(self.cluster, planned.only(Action.REMOVE))
            lines.append(planned.counts())
        with clock.step("rollout") as lines:
            lines.append(listed(f"{key.name} {state.message}" for key, state in states.items()))
        with clock.step("verify") as lines:
            lines.extend(await verify(self.cluster, project, objs, release.objs, namespace, self.environment))
        record = record_of(previous, revision.version, release.pins, tuple(Key.of(obj) for obj in everything))
        if record is not previous:
            await save(self.cluster, namespace, project.name, record, project.labels)
        return Report(
            app=project.name,
            environment=self.environment,
            version=short(revision.version),
            was=short(previous.version) if previous else "",
            seconds=clock.seconds(),
            steps=tuple(clock.steps),
            notes=("the tree is dirty: files differ from the commit",) if revision.dirty else (),
            urls=pages(routes_of(project, objs)),
        )

    async def _make_namespace(self, objs: tuple[Obj, ...], namespace: str) -> str:
        """Create the namespace if it is not there; return the uid of one just made."""
        if await ready_namespace(self.cluster, objs, namespace) is not None:
            return ""
        made = await self.cluster.apply(next(obj for obj in objs if obj["kind"] == "Namespace"))
        return str(made["metadata"]["uid"])

    async def _waves(self, objs: tuple[Obj, ...], planned: Plan, namespace: str, within: float) -> dict[Key, State]:
        """Apply wave by wave; a wave with workloads has rolled out before the next begins."""
        changes = {change.key: change for change in planned.changes}
        states: dict[Key, State] = {}
        async with watching(self.cluster, namespace, KINDS) as live:
            for wave in m.waves(objs):
                async with together() as group:
                    for obj in wave:
                        group.start_soon(self._write, live, obj, changes[Key.of(obj)])
                keys = [Key.of(obj) for obj in wave if obj["kind"] in TRACKED]
                if keys:
                    states |= await rolled_out(self.cluster, live, keys, act=self.act, within=within, say=say)
        return states

    async def _write(self, live: Live, obj: Obj, change: Change) -> None:
        if change.action is Action.KEEP:
            return
        written = await write(self.cluster, obj, change)
        say(f"{change.key} {_PAST[change.action]}")
        if change.key.kind in TRACKED:
            live.take({"type": "MODIFIED", "object": written})


def _how(image: Image) -> str:
    return f"{image.component} unchanged since {short(image.revision)}" if image.kept else f"{image.component} built"


async def own_objects(
    cluster: Cluster, project: Project, objs: tuple[Obj, ...], namespace: str, secrets: Secrets
) -> tuple[Obj, ...]:
    """Return the Secrets that the pipeline writes, as the manifests need them."""
    own = []
    name, pull = f"{project.name}-secrets", f"{project.name}-registry"
    needed = m.secret_keys(objs, name)
    if needed:
        given = {JWT_SECRET: secrets.jwt}
        own.append(await application_secret(cluster, namespace, name, needed, given, project.labels))
    if pull in m.pull_secrets(objs) and secrets.token:
        host, user = project.registry.host, project.registry.user
        own.append(registry_secret(namespace, pull, host, user, secrets.token, project.labels))
    return tuple(own)
