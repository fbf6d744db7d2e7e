"""What a verb did as a CI shows it: a folder with the report in every form, whether it succeeded or failed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dagger

from planera_ci import verbs
from planera_ci.arguments import Settings
from planera_ci.choices import Verb
from planera_ci.domain import again
from planera_ci.domain.images import short
from planera_ci.domain.places import Place, in_log
from planera_ci.domain.report import Report
from planera_ci.domain.summary import annotation, markdown, outputs, quiet
from planera_ci.errors import DeploymentError, PlaneraError, first_error
from planera_ci.pipeline.blame import components_of, place_of
from planera_ci.pipeline.clock import Clock
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.source import Source
from planera_ci.verbs import Asked, Trial
from planera_ci.wiring import cluster_of, data_of, project_of, report_of, source_of

_SHOWN = ("was", "urls", "revision", "outcome", "verdict", "rollback", "images", "diff")
"""What the report of a failed deployment has besides its steps."""

_USUAL = Asked()
_FLAGS = {
    Verb.DEPLOY: ("commit", "confirm", "release", "within", "wait"),
    Verb.ROLLBACK: ("to", "within", "wait"),
    Verb.SMOKE: ("commit",),
    Verb.BACKUP: ("wait",),
    Verb.CHECKS: (),
}
"""What of all that was asked for is a flag of the verb."""
_OF_THE_SOURCE = (Verb.SMOKE, Verb.CHECKS)
"""Verbs that are about what lies in the source; the others are about what runs, or about a release that is named."""


@dataclass
class Job:
    """One run of a verb, and the folder that it leaves."""

    settings: Settings
    repo: dagger.Directory
    """This repository, for its own checks."""
    verb: Verb
    env: str
    asked: Asked
    words: str
    """What a call of the module begins with, for the command that shows the same failure."""
    folder: Path
    clock: Clock = field(default_factory=Clock)

    async def run(self) -> None:
        """Do it and write everything down; a failure of the verb is a result like another."""
        error: PlaneraError | None = None
        try:
            if not self.env and self.verb is not Verb.CHECKS:
                self.env = (await project_of(self.settings)).first
            report = await self._done()
        except (PlaneraError, BaseExceptionGroup) as caught:
            cause = first_error(caught)
            if not isinstance(cause, PlaneraError):
                raise
            error = cause
        else:
            report = replace(report, outcome="succeeded", version=report.version or await self._version())
        self.folder.mkdir(parents=True, exist_ok=True)
        place = None
        if error:
            report, place = await self._failed(error)
        self._written(report, place, error)

    async def _done(self) -> Report:
        match self.verb:
            case Verb.DEPLOY:
                return await verbs.deploy(self.settings, self.env, self.asked, self.clock)
            case Verb.ROLLBACK:
                return await verbs.roll_back(self.settings, self.env, self.asked, self.clock)
            case Verb.BACKUP:
                return await self._backed_up()
            case Verb.CHECKS:
                return await verbs.checks(self.settings, self.repo, (), self.clock)
            case Verb.SMOKE:
                trial = await Trial.of(self.settings, self.env, self.clock)
                await trial.test()
                return await trial.smoke(self.asked.commit)

    async def _backed_up(self) -> Report:
        project = await project_of(self.settings, self.env)
        act = f"back up {project.name} in {self.env}"
        data = await data_of(self.settings, project, self.env, act, self.asked.wait, self.clock)
        self.folder.mkdir(parents=True, exist_ok=True)
        # a file that is not whole stays where nobody takes it for a backup
        (await data.backup(Path.cwd())).rename(self.folder / "backup.tar")
        return report_of(project, self.env, "", self.clock)

    async def _failed(self, error: PlaneraError) -> tuple[Report, Place | None]:
        """Return the report of a failure, and the line that it lies in where that is known."""
        steps, took = tuple(self.clock.steps), self.clock.seconds()
        if self.verb is Verb.CHECKS:
            return await self._unchecked(error)
        try:
            project = await project_of(self.settings, self.env)
        except PlaneraError:  # what describes the application is what cannot be read
            name = self.settings.name or "planera"
            return Report(name, self.env, "", "", took, steps, outcome="failed", error=str(error)), None
        commit, version = await self._commit(project.source)
        if self.verb not in (*_OF_THE_SOURCE, Verb.DEPLOY) or self.asked.release:
            version = self.asked.release
        facts: dict[str, Any] = dict(error.facts) if isinstance(error, DeploymentError) else {}
        report = Report(project.name, self.env, facts.get("version") or short(version), "", took, steps)
        report = replace(report, **({"outcome": "failed"} | {name: facts[name] for name in _SHOWN if name in facts}))
        if facts:
            await self._evidence(project, int(facts["revision"]))
        names = await components_of(project, self.env)
        typed = again.commands(self.words + self._given(), error, self._typed(), self.env, commit, names)
        blamed = str((report.verdict or {}).get("object", ""))
        return replace(report, error=str(error), again=typed), await place_of(project, error, blamed, names)

    async def _unchecked(self, error: PlaneraError) -> tuple[Report, Place | None]:
        """Return the same of checks of this repository, which are about no application."""
        commit, version = await self._commit(await source_of(self.settings))
        typed = again.commands(self.words, error, self._typed(), "", commit, ())
        report = verbs.report_of_checks(self.clock)
        report = replace(report, version=short(version), outcome="failed", error=str(error), again=typed)
        return report, in_log(error.tail, await self.repo.glob("**/*"), "")

    def _given(self) -> str:
        """Return the module's own arguments as words of a call, those that were given."""
        return again.flags({name: getattr(self.settings, name) for name in ("name", "owner", "registry", "user")})

    async def _version(self) -> str:
        """Return the name of the state of the source, for a report of what looked at it and made no release."""
        if self.verb not in _OF_THE_SOURCE:
            return ""
        return short((await self._commit(await source_of(self.settings)))[1])

    async def _commit(self, source: Source) -> tuple[str, str]:
        """Return the commit that git can give back, and the name of the state of the source, where they are known."""
        try:
            revision = await source.revision()
        except PlaneraError:
            return "", self.asked.commit
        return "" if revision.dirty else revision.commit, self.asked.commit or revision.version

    def _typed(self) -> tuple[str, ...]:
        """Return the verb as a user types it, with what was asked for."""
        words = [self.verb.value, "--env", self.env] if self.verb is not Verb.CHECKS else [self.verb.value]
        for name in _FLAGS[self.verb]:
            value = getattr(self.asked, name)
            if value != getattr(_USUAL, name):
                words.extend((f"--{name}", str(value)))
        return (*words, "-o", "backup.tar") if self.verb is Verb.BACKUP else tuple(words)

    async def _evidence(self, project: Project, revision: int) -> None:
        """Put the evidence beside the report; where the cluster does not give it, the report says so already."""
        from planera_ci.inspection import evidence, save  # noqa: PLC0415

        try:
            cluster = await cluster_of(self.settings, "read the evidence")
            files = await evidence(cluster, project, self.env, revision)
        except PlaneraError as error:
            self.clock.say(str(error))
            return
        save(self.folder / "evidence", files)

    def _written(self, report: Report, place: Place | None, error: PlaneraError | None) -> None:
        look = f"{self.words}{self._given()} evidence --env {self.env} -o evidence"
        what = report.verdict.get("reason") or (again.step_of(error) if error else "") or self.verb.value
        title = f"{report.app} {report.environment}: {what}"
        files = {
            "code": "1\n" if error else "0\n",
            "report.txt": quiet(report.text()) + "\n",
            "report.json": report.json() + "\n",
            "summary.md": markdown(report, look if (self.folder / "evidence").exists() else ""),
            "annotations": annotation(title.strip(), str(error), place) if error else "",
            "outputs": outputs(report),
        }
        for name, text in files.items():
            (self.folder / name).write_text(text)
