"""A workflow as it is written: its keys, all of them known to the runner, and the pins behind its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.texts import ROOT

OWN = ROOT / ".github/workflows"
TEMPLATES = ROOT / "examples/workflows"

_WORKFLOW = {"name", "on", "permissions", "concurrency", "env", "defaults", "jobs"}
_JOB = {"name", "if", "runs-on", "timeout-minutes", "permissions", "environment", "env", "steps"}
_STEP = {"name", "id", "if", "uses", "with", "env", "run"}
_USES = re.compile(r"^\s*(?:- )?uses: (?P<action>\S+?)@(?P<pin>\S+)(?:\s+#\s*(?P<comment>.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Use:
    """One `uses:` line."""

    action: str
    pin: str
    comment: str


@dataclass(frozen=True)
class Workflow:
    """A file of .github/workflows, or a template of one."""

    path: Path
    text: str
    data: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Workflow:
        """Read a file; refuse keys that the runner here would leave out."""
        text = path.read_text(encoding="utf-8")
        data = yaml.safe_load(text)
        # YAML 1.1 takes the word for a boolean.
        data["on"] = data.pop(True) if True in data else data["on"]
        workflow = cls(path, text, data)
        workflow._refuse_unknown()
        return workflow

    def _refuse_unknown(self) -> None:
        known = [(self.data, _WORKFLOW), *((job, _JOB) for job in self.jobs.values())]
        known += [(step, _STEP) for step in self.steps()]
        for part, keys in known:
            assert part.keys() <= keys, f"{self.path.name}: {sorted(map(str, part.keys() - keys))}"

    @property
    def name(self) -> str:
        return str(self.data["name"])

    @property
    def triggers(self) -> dict[str, dict[str, Any]]:
        """Return the events that start it, with what is said of each."""
        return {event: said or {} for event, said in dict(self.data["on"]).items()}

    @property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """Return what a person is asked who starts it."""
        declared = self.triggers.get("workflow_dispatch", {}).get("inputs", {})
        return {name: dict(said) for name, said in declared.items()}

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        return dict(self.data["jobs"])

    def steps(self) -> Iterator[dict[str, Any]]:
        for job in self.jobs.values():
            yield from job["steps"]

    def runs(self) -> Iterator[str]:
        """Yield the text of every `run:`."""
        yield from (str(step["run"]) for step in self.steps() if "run" in step)

    def uses(self) -> Iterator[Use]:
        """Yield the `uses:` lines as text, for a comment is not a part of what YAML reads."""
        for match in _USES.finditer(self.text):
            yield Use(match["action"], match["pin"], (match["comment"] or "").strip())

    def checked_inputs(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the inputs as GitHub passes them on; refuse what its form would not let through."""
        assert given.keys() <= self.inputs.keys(), f"{self.name} asks for {sorted(self.inputs)}"
        return {name: self._input(name, said, given) for name, said in self.inputs.items()}

    def _input(self, name: str, said: Mapping[str, Any], given: Mapping[str, str]) -> Any:
        assert name in given or not said.get("required"), f"{self.name} asks for {name}"
        value = given.get(name, said.get("default", ""))
        assert said["type"] != "choice" or value in said["options"], f"{name} is one of {said['options']}"
        assert said["type"] in {"choice", "string", "number"}, said["type"]
        return value


def workflows(folder: Path) -> dict[str, Workflow]:
    """Return the workflows of a folder by the names of their files."""
    return {path.name: Workflow.read(path) for path in sorted(folder.glob("*.yml"))}
