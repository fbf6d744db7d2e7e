"""The verbs that serve a CI, and whoever looks for what failed there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Protocol

import dagger
from dagger import Doc, function

from planera_ci import arguments as given
from planera_ci.choices import Verb
from planera_ci.told import plainly


class Serving(given.Settings, Protocol):
    """A part of the module's object: what it is told apart from is in its name."""

    @function(cache="never")
    async def ci(
        self,
        verb: Annotated[Verb, Doc("What to do")],
        env: given.Tried = "",
        commit: given.Commit = "",
        confirm: given.Confirm = "",
        release: given.Promoted = "",
        to: given.To = 0,
        within: given.Within = 300,
        wait: given.Wait = 300,
        again: Annotated[
            str, Doc("Words that a call begins with on a laptop, for the command that shows a failure there")
        ] = "dagger call",
        *,
        repo: given.Repo,
    ) -> dagger.Directory:
        """Do a verb as a CI job does, and return its report in every form.

        The folder holds code (0 or 1, the job's exit code), report.txt, report.json, summary.md, annotations,
        outputs, and what there is of evidence/ and backup.tar: `-o job`. A failure is told there, not by the call.
        """
        from planera_ci.job import Job
        from planera_ci.verbs import Asked

        with plainly():
            asked = Asked(commit, confirm, release, to, within, wait)
            folder = Path.cwd() / "job"
            await Job(self, repo, verb, env, asked, again, folder).run()
            return dagger.dag.current_module().workdir(folder.name)

    @function(cache="never")
    async def inside(
        self,
        component: Annotated[str, Doc("Workload that the smoke test runs, such as backend or migrate")],
        env: given.Tried = "",
        commit: given.Commit = "",
    ) -> dagger.Container:
        """Return a container as the smoke test runs it, its database beside it.

        What comes before it in the smoke test runs: third-party services, Jobs, components that it needs. Open
        a shell in it (`terminal`), or run a command (`with-exec --args … stdout`).
        """
        from planera_ci.domain.images import checked_component
        from planera_ci.pipeline.clock import Clock
        from planera_ci.verbs import Trial

        with plainly():
            name = checked_component(component)
            return await (await Trial.of(self, env, Clock())).inside(name, commit)
