"""One deployment by planera-ci under a fault: what happened, what it said, what the old version's users saw."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.e2e.calls import Outcome, called
from tests.e2e.harness import App, run
from tests.faults import signs
from tests.faults.catalogue import Fault, edited
from tests.faults.evidence import Evidence, exported
from tests.faults.live import Live
from tests.faults.load import Lost, load
from tests.faults.meanwhile import happening, serving

Pods = dict[str, tuple[str, int]]
SUCCESS = 1.0
"""Seconds from the last replica's availability to success, at most."""
ROUNDED = 1.0
"""What the cluster's timestamps of whole seconds may add, or take where both are rounded."""
WAITS = "waits for the lock, held by"
"""What a deployment says that found another one in its place."""


@dataclass(frozen=True)
class Trial:
    """All that is known of one deployment under a fault."""

    fault: Fault
    outcome: Outcome
    second: Outcome | None
    report: dict[str, Any]
    evidence: Evidence | None
    decided: datetime | None
    """When the cluster knew, by its objects alone."""
    sent: int
    lost: list[Lost]
    before: Pods
    after: Pods

    @property
    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = self.report["verdict"]
        return found

    @property
    def late(self) -> float | None:
        """Return the seconds from our own reckoning of the deciding state to the verdict."""
        told = self.verdict.get("told")
        return (datetime.fromisoformat(told) - self.decided).total_seconds() if told and self.decided else None

    @property
    def story(self) -> str:
        """Return what a failed assertion should show."""
        return f"{self.fault.name}: exit {self.outcome.code}\n{self.outcome.err[-3000:]}\n{self.outcome.out[-3000:]}"


def prepare(app: App) -> None:
    """Let a fault get as far as it should: into the cluster."""
    mine = ["kubectl", "-n", app.namespace]
    # The server's warning of pods that it will not admit ends a deployment before it begins.
    run(["kubectl", "label", "namespace", app.namespace, "pod-security.kubernetes.io/warn=privileged", "--overwrite"])
    # A quota is an administrator's; here it comes with the release that exceeds it.
    verbs = "get,create,patch,delete"
    run([*mine, "create", "role", "quotas", f"--verb={verbs}", "--resource=resourcequotas"])
    run([*mine, "create", "rolebinding", "quotas", "--role=quotas", f"--serviceaccount={app.namespace}:deployer"])


def tried(app: App, fault: Fault, folder: Path) -> Trial:
    """Deploy an application with a fault in it, under load, and take the fault out again."""
    app.settle()
    before, begun = app.pods("backend"), datetime.now(UTC)
    with edited(app, fault), Live(app.namespace) as live, load(app) as asked:
        with happening(fault.during, live):
            outcome, second = _deployed(app, folder / "second") if fault.during == "second" else (_deploy(app), None)
        objs = [sight.obj for sight in live.seen if sight.obj["metadata"]["uid"] not in live.before]
    evidence = exported(app, folder / "evidence") if outcome.code and fault.reason else None
    # A watch of ours that began anew at that moment has missed it; the evidence has the last state of all.
    kept = [*evidence.objects(), *evidence.events(since=begun)] if evidence else []
    return Trial(
        fault=fault,
        outcome=outcome,
        second=second,
        report=evidence.report if evidence else _printed(outcome),
        evidence=evidence,
        decided=signs.decided(fault.sign, [*objs, *kept], fault.grace) if fault.reason else None,
        sent=asked.sent,
        lost=asked.lost,
        before=before,
        after=app.pods("backend"),
    )


def _deploy(app: App, seen: Callable[[str], bool] = lambda _: False) -> Outcome:
    """Deploy; show each line of its progress, as far as it is called in a process of the tests."""
    words = ("deploy", "--env=staging", "--shown=json")
    return app.typed(*words) if app.cli else called((*app.flags, *words), os.environ, until=seen)


def _deployed(app: App, folder: Path) -> tuple[Outcome, Outcome]:
    """Deploy two states of an application at once; the first one serves as soon as the other waits for it."""
    shutil.copytree(app.folder, folder)
    other = replace(app, folder=folder)
    other.edit("k8s/staging/kustomization.yaml", "LOG_LEVEL=debug", "LOG_LEVEL=info")
    other.commit("second")
    with serving(app.namespace) as serve, ThreadPoolExecutor(2) as pool:

        def met(line: str) -> bool:
            if WAITS in line:
                serve()
            return False

        if app.cli:
            serve()  # what the CLI prints is known only when the call is over
        first, second = pool.map(lambda each: _deploy(each, met), (app, other))
    return first, second


def _printed(outcome: Outcome) -> dict[str, Any]:
    """Return the report that a successful deployment printed."""
    if outcome.code:
        return {"outcome": "", "verdict": {}, "rollback": None}
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def passes(done: Trial) -> None:
    """Check that a deployment waited a trouble out and succeeded, and that what ran before answered meanwhile."""
    for outcome in filter(None, (done.outcome, done.second)):
        assert outcome.code == 0, f"{done.story}\n{outcome.err[-3000:]}"
    assert done.verdict["reason"] == ""
    assert done.report["outcome"] == "succeeded"
    assert done.verdict["seconds"] <= SUCCESS + ROUNDED, done.verdict
    assert done.sent > 0
    assert done.fault.lossy or done.lost == []


Tried = Callable[[Fault], Trial]
