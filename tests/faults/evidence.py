"""The folder that `dagger call evidence` exports, as a person finds it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.e2e.harness import App

Obj = dict[str, Any]
_ANY_TIME = datetime.min.replace(tzinfo=UTC)
_EVENT = re.compile(r"(\S+)  (\S+) (\S+): (.*?)(?: \((\d+) times\))?")


@dataclass(frozen=True)
class Evidence:
    """What is kept of a failed deployment."""

    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text("report.json"))
        return found

    def text(self, name: str) -> str:
        """Return a file; one that is missing is an incomplete evidence."""
        file = self.folder / name
        assert file.is_file(), f"{name} is not in the evidence: {self.names()}"
        return file.read_text()

    def names(self) -> list[str]:
        """Return the paths of all files."""
        return sorted(str(file.relative_to(self.folder)) for file in self.folder.rglob("*") if file.is_file())

    def objects(self) -> list[Obj]:
        """Return the objects as they were last seen."""
        return [json.loads(file.read_text()) for file in sorted((self.folder / "objects").glob("*.json"))]

    def events(self, since: datetime = _ANY_TIME) -> list[Obj]:
        """Return the events as events.txt tells them; the namespace keeps those of earlier deployments too."""
        told = [_EVENT.fullmatch(line) for line in self.text("events.txt").splitlines()]
        assert all(told), self.text("events.txt")
        return [
            {"kind": "Event", "lastTimestamp": at, "reason": reason, "message": text, "count": int(count or 1)}
            for at, _, reason, text, count in (each.groups() for each in told if each)
            if datetime.fromisoformat(at) >= since
        ]

    def logs(self, pod: str, container: str) -> str:
        """Return all that a container wrote, in this run and the one before."""
        files = [self.folder / "logs" / f"{pod}.{container}{end}.log" for end in (".previous", "")]
        return "".join(file.read_text() for file in files if file.is_file())

    def missing(self, *, changed: str, logged: str) -> list[str]:
        """Name what ought to be there and is not: the event, the changed object, the words in a log."""
        verdict = self.report["verdict"]
        logs = self.logs(verdict["pod"], verdict["container"])
        lacks = {
            "verdict.txt": verdict["message"] not in self.text("verdict.txt"),
            "events.txt": verdict["object"].partition("/")[2] not in self.text("events.txt"),
            f"{changed} in plan.diff": changed not in self.text("plan.diff"),
            "seconds in timeline.txt": " s  " not in self.text("timeline.txt"),
            f"objects/{changed.replace('/', '-')}.json": f"objects/{changed.replace('/', '-')}.json"
            not in self.names(),
            f"log with {logged!r}": bool(logged) and logged not in logs,
            "object of the pod": bool(verdict["pod"]) and f"objects/pod-{verdict['pod']}.json" not in self.names(),
        }
        return [what for what, is_missing in lacks.items() if is_missing]


def exported(app: App, folder: Path) -> Evidence:
    """Have the evidence of an application's last failure exported."""
    done = app.call("evidence", "--env=staging", "-o", str(folder))
    assert done.code == 0, done.err[-3000:]
    return Evidence(folder)
