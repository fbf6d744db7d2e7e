"""The verbs that look at an environment and change nothing."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated, Protocol

import dagger
from dagger import Doc, function

from planera_ci import arguments as given
from planera_ci.choices import Format
from planera_ci.told import plainly


class Looking(given.Settings, Protocol):
    """A part of the module's object: what it is told apart from is in its name."""

    @function(cache="never")
    async def version(self) -> str:
        """Print the version of this module; no call does less."""
        return f"planera-ci {metadata.version('planera-ci')}"

    @function(cache="never")
    async def verify(self, env: given.Env) -> str:
        """Prove that an environment runs its last release.

        Checked are the running image ids, the services' endpoints, and what the Ingress answers.
        """
        from planera_ci.inspection import verify_recorded
        from planera_ci.pipeline.clock import Clock
        from planera_ci.wiring import cluster_of, project_of, report_of

        with plainly():
            clock = Clock()
            with clock.step("verify") as lines:
                project, cluster = await project_of(self, env), await cluster_of(self, "verify")
                record, found = await verify_recorded(cluster, project, env)
                lines.extend(found)
            return report_of(project, env, record.version, clock).text()

    @function(cache="never")
    async def status(self, env: given.Env) -> str:
        """Show what runs in an environment: release, workloads and images."""
        from planera_ci.inspection import status
        from planera_ci.wiring import cluster_of, project_of

        with plainly():
            project = await project_of(self, env)
            return await status(await cluster_of(self, "read the status"), project, env)

    @function(cache="never")
    async def history(self, env: given.Env, shown: given.Shown = Format.TEXT) -> str:
        """Show the revisions of an environment: what, when, and how it ended."""
        from planera_ci.inspection import history
        from planera_ci.wiring import cluster_of, project_of

        with plainly():
            project = await project_of(self, env)
            found = await history(await cluster_of(self, "read the history"), project, env)
            return found.json() if shown is Format.JSON else found.text()

    @function(cache="never")
    async def logs(
        self,
        env: given.Env,
        component: Annotated[
            str, Doc("Component whose containers are read, such as backend, or another workload, such as postgres")
        ],
        lines: given.Lines = 100,
    ) -> str:
        """Show the last lines of a component's containers, or another workload's."""
        from planera_ci.domain.images import checked_component
        from planera_ci.inspection import logs
        from planera_ci.wiring import cluster_of, project_of

        with plainly():
            name, count = checked_component(component), given.checked_lines(lines)
            project = await project_of(self, env)
            return await logs(await cluster_of(self, "read the logs"), project, env, name, count)

    @function(cache="never")
    async def evidence(self, env: given.Env, revision: given.Failed = 0) -> dagger.Directory:
        """Return what was seen of a failed deployment before it was undone.

        Events, states, logs, the diff, a timeline and the report, secrets masked. Export it: `-o DIR`.
        """
        from planera_ci.inspection import evidence, save
        from planera_ci.wiring import cluster_of, project_of

        with plainly():
            project = await project_of(self, env)
            files = await evidence(await cluster_of(self, "read the evidence"), project, env, revision)
            # As a folder of this container: built file by file, one of many pods has more layers than can be mounted.
            save(Path.cwd() / "evidence", files)
            return dagger.dag.current_module().workdir("evidence")
