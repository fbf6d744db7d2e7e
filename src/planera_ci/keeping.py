"""The verbs that take an environment's data out and put them back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Protocol

import dagger
from dagger import Doc, Name, function

from planera_ci import arguments as given
from planera_ci.choices import Format
from planera_ci.told import plainly


class Keeping(given.Settings, Protocol):
    """A part of the module's object: what it is told apart from is in its name."""

    @function(cache="never")
    async def backup(
        self,
        env: given.Env,
        kept: Annotated[
            str, Doc("Backup that the cluster keeps, as nightly-20260131T021700Z.tar; default: a new one")
        ] = "",
        wait: given.Wait = 300,
    ) -> dagger.File:
        """Back an environment's database up and return the file: `-o FILE.tar`.

        It is a tar of a dump in Postgres' custom format, what it is of, and checksums; docs/data.md.
        """
        from planera_ci.pipeline.clock import Clock
        from planera_ci.wiring import data_of, project_of

        with plainly():
            project = await project_of(self, env)
            act = f"back up {project.name} in {env}"
            path = await (await data_of(self, project, env, act, wait, Clock())).backup(Path.cwd(), kept)
            return dagger.dag.current_module().workdir_file(path.name)

    @function(cache="never")
    async def restore(
        self,
        env: given.Env,
        file: Annotated[dagger.File, Name("from"), Doc("Backup to restore, a file that `backup` has made")],
        confirm: Annotated[str, Doc("Phrase that says which data are to be replaced: restore-ENV")] = "",
        wait: given.Wait = 300,
        shown: given.Shown = Format.TEXT,
    ) -> str:
        """Put a backup in the place of an environment's database.

        It is restored beside the database in use, which it replaces at once when it is complete;
        the former is kept under another name. The application needs no restart.
        """
        from planera_ci.domain.backup import check_restore
        from planera_ci.pipeline.clock import Clock
        from planera_ci.wiring import data_of, project_of

        with plainly():
            project = await project_of(self, env)
            act = f"restore {project.name} in {env}"
            check_restore(act, env, confirm)
            data = await data_of(self, project, env, act, wait, Clock())
            await file.export("backup.tar")
            return given.shown_as(await data.restore(Path("backup.tar")), shown)
