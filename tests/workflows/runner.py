"""Runs one job of a workflow as GitHub's runner does, in a folder of its own.

Its `run:` steps are run by the shell that GitHub runs them by, with the environment that GitHub gives them and
nothing of the developer's. What this runner does not know, it refuses.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.workflows import actions
from tests.workflows.commands import Annotation, pairs, shown_by
from tests.workflows.expressions import Outputs, filled, holds
from tests.workflows.github import POWERLESS, SERVER, Event, Repository
from tests.workflows.workflow import Workflow

SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
MOST_SUMMARY = 1024 * 1024
"""Bytes that GitHub shows of a step's summary; it refuses a longer one as a whole."""
_LONGEST = 560
"""Seconds that a step may take here, whatever its job may."""
_MACHINE = re.compile(r"PATH|LANG|NO_COLOR|DO_NOT_TRACK|DAGGER_\w+|_EXPERIMENTAL_DAGGER_RUNNER_HOST")
"""What the machine gives every process: here it tells the CLI, too, where its engine is."""


@dataclass
class Ran:
    """What was seen of a job."""

    state: str = "success"
    log: str = ""
    summary: str = ""
    code: int = 0
    """Exit code of the step that failed."""
    steps: dict[str, str] = field(default_factory=dict)
    """How each step that ran ended, by its name or its action."""
    outputs: dict[str, Outputs] = field(default_factory=dict)
    artifacts: Path = Path()
    environment: str = ""
    url: str = ""

    @property
    def annotations(self) -> list[Annotation]:
        """Return the annotations that the log holds."""
        return shown_by(self.log)

    def artifact(self, name: str) -> dict[str, bytes]:
        """Return the files of an artifact."""
        folder = self.artifacts / name
        return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}

    def everything(self) -> bytes:
        """Return all that a run leaves where people can read it."""
        kept = [f.read_bytes() for f in sorted(self.artifacts.rglob("*")) if f.is_file()]
        return b"\n".join([self.log.encode(), self.summary.encode(), str(self.outputs).encode(), *kept])


def ran(workflow: Workflow, job: str, repository: Repository, event: Event, folder: Path, **more: Any) -> Ran:
    """Run a job of a workflow in an empty folder."""
    return Runner(workflow, job, repository, event, folder, **more).run()


@dataclass
class Runner:
    """One job of one run."""

    workflow: Workflow
    job: str
    repository: Repository
    event: Event
    folder: Path
    instead: Mapping[str, str] = field(default_factory=dict)
    """Texts of `env` that stand for something else here, such as a module that is not published yet."""
    seen: Ran = field(default_factory=Ran, init=False)
    exported: dict[str, str] = field(default_factory=dict, init=False)
    """What a step wrote to GITHUB_ENV."""

    def __post_init__(self) -> None:
        assert self.event.name in self.workflow.triggers, f"{self.workflow.name} does not start by {self.event.name}"
        for path in (self.workspace, self.temp, self.home, self.folder / "artifacts"):
            path.mkdir(parents=True)
        for above in (self.workspace, *self.workspace.parents):
            assert not (above / ".env").exists(), f"{above} has a .env: a runner has none"
        self.seen.artifacts = self.folder / "artifacts"

    @property
    def workspace(self) -> Path:
        name = self.repository.slug.rpartition("/")[2]
        return self.folder / "work" / name / name

    @property
    def temp(self) -> Path:
        return self.folder / "work/_temp"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @cached_property
    def spec(self) -> dict[str, Any]:
        return self.workflow.jobs[self.job]

    @property
    def rights(self) -> dict[str, str]:
        """Return what the job's token may: what the job asks for, else what the workflow does."""
        rights = self.spec.get("permissions", self.workflow.data.get("permissions"))
        assert isinstance(rights, dict), f"{self.workflow.name} does not say what its token may"
        return {str(key): str(value) for key, value in rights.items()}

    @property
    def token(self) -> str:
        return self.repository.token if self.rights.get("packages") == "write" else POWERLESS

    @cached_property
    def inputs(self) -> dict[str, Any]:
        asked = self.event.name == "workflow_dispatch"
        return self.workflow.checked_inputs(self.event.inputs) if asked else dict.fromkeys(self.workflow.inputs)

    @cached_property
    def run_id(self) -> str:
        return str(10_000_000_000 + secrets.randbelow(10**9))

    @property
    def contexts(self) -> dict[str, Any]:
        """Return what expressions may name."""
        event = self.event
        known = {
            "server_url": SERVER,
            "repository": self.repository.slug,
            "repository_owner": self.repository.owner,
            "run_id": self.run_id,
            "sha": event.sha,
            "ref": event.ref,
            "event": event.payload,
            "token": self.token,
        }
        steps = {step["id"]: {"outputs": Outputs()} for step in self.spec["steps"] if "id" in step}
        steps |= {name: {"outputs": outputs} for name, outputs in self.seen.outputs.items()}
        # GitHub gives no secret to what a stranger proposes.
        held = {} if event.name == "pull_request" else self.repository.environments.get(self.seen.environment, {})
        own = {"temp": str(self.temp)}
        return {"github": known, "inputs": self.inputs, "steps": steps, "secrets": held, "runner": own}

    def run(self) -> Ran:
        """Run the steps in order, as far as their conditions let them."""
        if not holds(self.spec.get("if"), self.contexts, failed=False):
            self.seen.state = "skipped"
            return self.seen
        place = self.spec.get("environment", {})
        place = {"name": place} if isinstance(place, str) else place
        self.seen.environment = filled(place.get("name"), self.contexts)
        for step in self.spec["steps"]:
            if holds(step.get("if"), self.contexts, failed=self.seen.state == "failure"):
                self._step(step)
        self.seen.url = filled(place.get("url"), self.contexts)
        return self.seen

    def _step(self, step: Mapping[str, Any]) -> None:
        name = str(step.get("name", step.get("uses", "").partition("@")[0]))
        code = self._used(step) if "uses" in step else self._shell(step)
        self.seen.steps[name] = "failure" if code else "success"
        if code:
            self.seen.state, self.seen.code = "failure", self.seen.code or code

    def _used(self, step: Mapping[str, Any]) -> int:
        given = {key: filled(value, self.contexts) for key, value in step.get("with", {}).items()}
        message = actions.used(step["uses"].partition("@")[0], given, self)
        self.seen.log += f"{message}\n" if message else ""
        return 1 if message else 0

    def _shell(self, step: Mapping[str, Any]) -> int:
        number = len(self.seen.steps)
        files = {name: self.temp / f"_{name.lower()}_{number}" for name in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY")}
        for file in files.values():
            file.touch()
        script = self.temp / f"_script_{number}.sh"
        script.write_text(step["run"])
        shell = SHELLS[self.workflow.data["defaults"]["run"]["shell"]]
        with (self.temp / f"_log_{number}").open("w+") as log:
            done = subprocess.run(
                [*shell, str(script)],
                cwd=self.workspace,
                env=self._environment(step, {f"GITHUB_{name}": str(file) for name, file in files.items()}),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=min(_LONGEST, 60 * self.spec["timeout-minutes"]),
                check=False,
            )
            log.seek(0)
            self.seen.log += log.read()
        self._read(step, files)
        return done.returncode

    def _read(self, step: Mapping[str, Any], files: Mapping[str, Path]) -> None:
        """Take up what a step wrote for the runner; it counts even if the step failed."""
        summary = files["STEP_SUMMARY"].read_text()
        assert len(summary.encode()) <= MOST_SUMMARY, f"GitHub refuses a summary of {len(summary.encode())} bytes"
        self.seen.summary += summary
        outputs = pairs(files["OUTPUT"].read_text())
        if "id" in step:
            self.seen.outputs[step["id"]] = Outputs(outputs)
        self.exported |= pairs(files["ENV"].read_text())
        assert not files["PATH"].read_text(), "no step here adds to PATH"

    def _environment(self, step: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, str]:
        machine = {key: value for key, value in os.environ.items() if _MACHINE.fullmatch(key)}
        said = dict(self.exported)
        for part in (self.workflow.data, self.spec, step):
            said |= {key: self._replaced(filled(text, self.contexts)) for key, text in part.get("env", {}).items()}
        return {**machine, "HOME": str(self.home), "CI": "true", **self._facts(), **files, **said}

    def _replaced(self, text: str) -> str:
        for there, here in self.instead.items():
            text = text.replace(there, here)
        return text

    def _facts(self) -> dict[str, str]:
        """Return the variables that GitHub sets for every step."""
        event, slug, branch = self.event, self.repository.slug, self.event.name != "pull_request"
        (self.temp / "event.json").write_text(json.dumps(dict(event.payload)))
        facts = {
            "ACTIONS": "true",
            "ACTOR": self.repository.owner,
            "API_URL": f"{SERVER}/api",
            "BASE_REF": "" if branch else "main",
            "EVENT_NAME": event.name,
            "EVENT_PATH": str(self.temp / "event.json"),
            "HEAD_REF": "" if branch else "change",
            "JOB": self.job,
            "REF": event.ref,
            "REF_NAME": event.ref_name,
            "REF_TYPE": "branch",
            "REPOSITORY": slug,
            "REPOSITORY_OWNER": self.repository.owner,
            "RUN_ATTEMPT": "1",
            "RUN_ID": self.run_id,
            "RUN_NUMBER": "1",
            "SERVER_URL": SERVER,
            "SHA": event.sha,
            "WORKFLOW": self.workflow.name,
            "WORKFLOW_SHA": event.sha,
            "WORKSPACE": str(self.workspace),
        }
        runner = {"OS": "Linux", "ARCH": "X64", "NAME": "here", "ENVIRONMENT": "github-hosted", "TEMP": str(self.temp)}
        named = {f"GITHUB_{key}": value for key, value in facts.items()}
        return {**named, **{f"RUNNER_{key}": value for key, value in runner.items()}}
