"""What the verbs that build and change do, from the module's arguments to a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import dagger

from planera_ci.arguments import Settings
from planera_ci.domain.checks import failure, steps
from planera_ci.domain.manifests import Obj
from planera_ci.domain.report import Report, listed
from planera_ci.domain.stages import check_deploy
from planera_ci.pipeline.build import test as run_tests
from planera_ci.pipeline.checks import run_checks
from planera_ci.pipeline.clock import Clock
from planera_ci.pipeline.project import Project, plaintext
from planera_ci.pipeline.render import load
from planera_ci.pipeline.smoke import Smoke
from planera_ci.tasks import both, together
from planera_ci.wiring import (
    deployment_of,
    project_of,
    promotion_of,
    report_of,
    repository_of,
    revision_of,
)

if TYPE_CHECKING:
    from planera_ci.deployment import Deployment


@dataclass(frozen=True)
class Asked:
    """What a user asks for besides the environment."""

    commit: str = ""
    confirm: str = ""
    release: str = ""
    to: int = 0
    within: int = 300
    wait: int = 300
    rollback: bool = True


async def deploy(settings: Settings, env: str, asked: Asked, clock: Clock) -> Report:
    """Bring the source, or what another environment has verified, to an environment."""
    project = await project_of(settings, env)
    act = f"deploy {project.name} to {env}"
    check_deploy(act, project.stage(env), asked.confirm, f"deploy --env {env}")
    token = await plaintext(settings.token, "--token", act)

    async def opened() -> Deployment:
        limits = asked.within, asked.wait
        return await deployment_of(settings, project, env, act, *limits, clock=clock, undo=asked.rollback, token=token)

    revision, run = await both(partial(revision_of, project, env, asked.commit), opened)
    promotion = await promotion_of(project, env, revision, asked.release)
    return await run.deploy(revision, promotion)


async def roll_back(settings: Settings, env: str, asked: Asked, clock: Clock) -> Report:
    """Put an earlier release back."""
    project = await project_of(settings, env)
    act = f"roll back {project.name} in {env}"
    run = await deployment_of(settings, project, env, act, asked.within, asked.wait, clock=clock)
    return await run.roll_back(asked.to)


@dataclass(frozen=True)
class Trial:
    """What is tried without a cluster: the application as an environment's manifests run it."""

    project: Project
    env: str
    objs: tuple[Obj, ...]
    clock: Clock

    @classmethod
    async def of(cls, settings: Settings, env: str, clock: Clock) -> Trial:
        """Read the application and the manifests of an environment, or of the first that is built for."""
        project = await project_of(settings, env)
        env = env or project.first
        return cls(project, env, await load(project.manifests, env), clock)

    async def build(self) -> Report:
        """Build every component."""
        await self._built()
        return report_of(self.project, self.env, "", self.clock)

    async def test(self) -> Report:
        """Run the application's own tests."""
        names = self.project.components(self.objs)
        await self.project.source.check(names)
        with self.clock.step("test") as lines:
            done = await run_tests(self.project.source, names)
            lines.append(f"{listed(done)} passed" if done else "no component has a test stage")
        return report_of(self.project, self.env, "", self.clock)

    async def smoke(self, commit: str) -> Report:
        """Build every component, run it as the manifests say, and try it."""
        smoke, built = await self._smoke(commit)
        with self.clock.step("smoke") as lines:
            lines.extend(await smoke.run(built))
            await smoke.stop()
        return report_of(self.project, self.env, commit or self.project.source.fixed, self.clock)

    async def inside(self, name: str, commit: str) -> dagger.Container:
        """Return one workload's container beside what runs before it."""
        smoke, built = await self._smoke(commit)
        return await smoke.inside(name, built)

    async def _smoke(self, commit: str) -> tuple[Smoke, dict[str, dagger.Container]]:
        """Return the smoke test with all that it needs besides the components running, and these built."""
        smoke = self.project.smoke(self.objs, commit or self.project.source.fixed)
        try:
            async with together() as group:
                group.start_soon(smoke.serve)
                built = await self._built()
        except BaseException:
            await smoke.stop()
            raise
        return smoke, built

    async def _built(self) -> dict[str, dagger.Container]:
        with self.clock.step("build") as lines:
            containers = await self.project.built(self.project.components(self.objs))
            lines.append(f"{listed(containers)} built")
        return containers


async def checks(settings: Settings, repo: dagger.Directory, only: Iterable[str], clock: Clock) -> Report:
    """Run the checks of this repository; those that fail are one error, which hides no other."""
    results = await run_checks(await repository_of(settings, repo), only)
    clock.steps.extend(steps(results))
    if failed := failure(results):
        raise failed
    return report_of_checks(clock)


def report_of_checks(clock: Clock) -> Report:
    """Return what came of the checks so far."""
    return Report("planera-ci", "checks", "", "", clock.seconds(), tuple(clock.steps))
