"""After a failure: keep the evidence, put the good release back, and tell the whole story in one sentence.

The evidence comes first: undoing destroys it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.evidence import Shelf, logs, seen
from planera_ci.cluster.history import Archive
from planera_ci.cluster.watch import Live
from planera_ci.domain.evidence import Findings, files, summary
from planera_ci.domain.history import Outcome, Record
from planera_ci.domain.images import short
from planera_ci.domain.mask import masked
from planera_ci.domain.moments import stamp
from planera_ci.domain.plan import Plan
from planera_ci.domain.report import Report, seconds
from planera_ci.domain.verdict import CLUSTER, Verdict, of_error
from planera_ci.errors import DeploymentError, LockLost, PlaneraError, RolloutError
from planera_ci.pipeline.clock import Clock

_BRIEF = 5.0
"""Seconds for which an API server that has been away too long already is asked once more."""


@dataclass(frozen=True)
class Attempt:
    """What was tried, and what there is to go back to."""

    record: Record
    planned: Plan
    good: Record | None
    idle: bool
    """Whether nothing was changed, so that there is nothing to go back to."""


@dataclass(frozen=True)
class Aftermath:
    """What follows the failure of an attempt."""

    act: str
    environment: str
    cluster: Cluster
    archive: Archive
    clock: Clock
    live: Live
    attempt: Attempt
    masks: tuple[str, ...]
    undo: bool
    restore: Callable[[Record], Awaitable[tuple[str, ...]]]
    report: Callable[[], Report]

    async def of(self, error: PlaneraError) -> DeploymentError:
        """Return the error that tells all; by then the evidence is kept and what can be undone is undone."""
        record = self.attempt.record
        verdict = of_error(error, self.cluster.now())
        if not isinstance(error, RolloutError):
            self.clock.say(masked(f"verdict: {verdict.text}", self.masks))
        if verdict.reason == CLUSTER:
            self.cluster.patience = _BRIEF  # it has been waited for already
        found = await self._findings(verdict, error.tail)
        evidence = files(found, self.masks)
        where = await self._kept(evidence)
        outcome, rollback, told = await self._undone()
        ended = {
            "outcome": outcome,
            "reason": verdict.reason,
            "message": masked(": ".join(filter(None, (verdict.object, verdict.message))), self.masks),
            "ended_at": stamp(self.cluster.now()),
        }
        closed = await self._closed(record.model_copy(update=ended))
        cure = "" if isinstance(error, RolloutError) else error.remedy
        told = "; ".join(filter(None, (cure, told, closed, where)))
        text, tail = masked(verdict.text, self.masks), masked(error.tail, self.masks)
        facts = self._masked(self._facts(verdict, outcome, rollback))
        diff = masked(self.attempt.planned.text(), self.masks)
        final = DeploymentError(self.act, text, told, tail=tail, facts=facts | {"diff": diff})
        story = replace(found, verdict=str(final), report=facts, timeline=tuple(self.clock.timeline))
        await self._kept({**evidence, **{path: masked(text, self.masks) for path, text in summary(story).items()}})
        return final

    async def _closed(self, record: Record) -> str:
        """Write how it ended; where that cannot be written, the next run finds it open and mends it."""
        if self.attempt.idle:
            return ""
        try:
            await self.archive.close(record)
        except LockLost:
            raise
        except PlaneraError as error:
            self.clock.say(f"the history could not be written: {error}")
            return "how it ended could not be recorded: the next deployment mends what is left"
        return ""

    def _masked(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Return facts in which no text shows a secret value: messages of pods and events hold whatever they say."""
        hidden: dict[str, Any] = json.loads(masked(json.dumps(facts, ensure_ascii=False), self.masks))
        return hidden

    async def _findings(self, verdict: Verdict, tail: str) -> Findings:
        pods = self.live.of("Pod")
        text = f"{self.act}: {verdict.text}"
        return Findings(
            verdict="\n".join(filter(None, [text, tail])),
            report=self._facts(verdict, Outcome.FAILED, None),
            plan=self.attempt.planned.text(),
            timeline=tuple(self.clock.timeline),
            objects=seen(self.live, self.attempt.record.keys()),
            events=self.live.of("Event"),
            logs=await logs(self.cluster, self.archive.namespace, pods, verdict.pod),
        )

    def _facts(self, verdict: Verdict, outcome: Outcome, rollback: dict[str, Any] | None) -> dict[str, Any]:
        facts = {"revision": self.attempt.record.revision, "outcome": str(outcome), "verdict": verdict.facts()}
        return self.report().facts() | facts | {"rollback": rollback}

    async def _kept(self, evidence: dict[str, str]) -> str:
        """Keep the evidence and say how to get it; a cluster that does not take it is no reason not to roll back."""
        shelf = Shelf(self.cluster, self.archive.namespace, self.archive.app, self.archive.labels)
        try:
            await shelf.put(self.attempt.record.revision, evidence)
        except LockLost:
            raise
        except PlaneraError as error:
            self.clock.say(f"the evidence could not be kept: {error}")
            return f"the evidence could not be kept ({error.observed})"
        self.clock.note(f"evidence is kept: {len(evidence)} files")
        return f"evidence: `dagger call evidence --env {self.environment} -o evidence`"

    async def _undone(self) -> tuple[Outcome, dict[str, Any] | None, str]:
        """Put the good release back, if there is one and it is wanted; say what was done."""
        good = self.attempt.good
        if self.attempt.idle:
            return Outcome.FAILED, None, "nothing was changed, so there is nothing to roll back"
        if good is None:
            return (
                Outcome.FAILED,
                None,
                "there is no good revision to roll back to; what failed is left to be looked at",
            )
        name = f"revision {good.revision} ({short(good.version)})"
        if not self.undo:
            back = f"`dagger call rollback --env {self.environment}` puts {name} back"
            return Outcome.FAILED, None, f"it is left as it is, as asked for; {back}"
        begun = self.clock.seconds()
        facts = {"revision": good.revision, "version": good.version, "verified": False, "seconds": 0.0, "message": ""}
        try:
            with self.clock.step("rollback") as lines:
                proven = await self.restore(good)
                lines.extend((f"{name} is back", *proven))
        except LockLost:
            raise
        except PlaneraError as error:
            facts |= {"seconds": self._since(begun), "message": str(error)}
            return Outcome.FAILED, facts, f"the rollback to {name} failed too: {error.act}: {error.observed}"
        took = self._since(begun)
        facts |= {"verified": True, "seconds": took, "message": proven[0]}
        return Outcome.ROLLED_BACK, facts, f"rolled back to {name} and verified it in {seconds(took)}"

    def _since(self, begun: float) -> float:
        return round(self.clock.seconds() - begun, 3)
